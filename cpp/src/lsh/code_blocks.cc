#include "lsh/code_blocks.h"

#include <algorithm>
#include <string>

#include <snncore/error.h>

#include "base/bits.h"
#include "base/checked.h"

namespace snncore::lsh {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr int64_t kMaxCodes = UINT32_MAX;

uint8_t byte_of(const uint64_t* row, size_t byte) {
  return static_cast<uint8_t>(row[byte / kWordBytes] >> (byte % kWordBytes * 8));
}

// Rows first..last - 1 of one block; the byte outside, so that a line of the block is written once.
void transpose(const uint64_t* rows, size_t row_words, size_t bytes, size_t first, size_t last,
               uint8_t* block) {
  for (size_t byte = 0; byte < bytes; ++byte) {
    for (size_t lane = first; lane < last; ++lane) {
      block[byte * kernels::kHammingBlock + lane] = byte_of(rows + (lane - first) * row_words, byte);
    }
  }
}

}  // namespace

void CodeBlocks::reserve(size_t codes) {
  require(codes <= static_cast<size_t>(kMaxCodes), ErrorCode::kInvalidArgument,
          "BinaryIndex: expected at most " + std::to_string(kMaxCodes) + " codes");
  const size_t blocks = (codes + kernels::kHammingBlock - 1) / kernels::kHammingBlock;
  blocks_.reserve(blocks * block_bytes());
}

void CodeBlocks::add(const uint64_t* rows, size_t count) {
  require(count <= static_cast<size_t>(kMaxCodes) - size_, ErrorCode::kInvalidArgument,
          "BinaryIndex: expected at most " + std::to_string(kMaxCodes) + " codes");
  const size_t row_words = (bytes_ + kWordBytes - 1) / kWordBytes;
  const size_t needed = (size_ + count + kernels::kHammingBlock - 1) / kernels::kHammingBlock;
  blocks_.append(needed * block_bytes() - blocks_.size());
  for (size_t done = 0; done < count;) {
    const size_t first = size_ % kernels::kHammingBlock;
    const size_t last = std::min(kernels::kHammingBlock, first + count - done);
    uint8_t* block = blocks_.writable() + size_ / kernels::kHammingBlock * block_bytes();
    transpose(rows + done * row_words, row_words, bytes_, first, last, block);
    size_ += last - first;
    done += last - first;
  }
}

void CodeBlocks::copy(size_t code, uint64_t* row) const noexcept {
  const uint8_t* from = block(code / kernels::kHammingBlock) + code % kernels::kHammingBlock;
  std::fill_n(row, (bytes_ + kWordBytes - 1) / kWordBytes, 0);
  for (size_t byte = 0; byte < bytes_; ++byte) {
    row[byte / kWordBytes] |= uint64_t{from[byte * kernels::kHammingBlock]} << (byte % kWordBytes * 8);
  }
}

}  // namespace snncore::lsh
