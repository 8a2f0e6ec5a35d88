#include "lsh/code_blocks.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

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
  if (blocks * block_bytes() <= buffer_.size()) return;
  const size_t grown = size_ == 0 ? blocks : std::max(blocks, this->blocks() * 3 / 2);
  AlignedBuffer larger(grown * block_bytes());
  if (size_ > 0) std::memcpy(larger.data(), buffer_.data(), this->blocks() * block_bytes());
  buffer_ = std::move(larger);
}

void CodeBlocks::add(const uint64_t* rows, size_t count) {
  reserve(size_ + count);
  const size_t row_words = (bytes_ + kWordBytes - 1) / kWordBytes;
  for (size_t done = 0; done < count;) {
    const size_t first = size_ % kernels::kHammingBlock;
    const size_t last = std::min(kernels::kHammingBlock, first + count - done);
    uint8_t* block = buffer_.as<uint8_t>() + size_ / kernels::kHammingBlock * block_bytes();
    transpose(rows + done * row_words, row_words, bytes_, first, last, block);
    size_ += last - first;
    done += last - first;
  }
}

}  // namespace snncore::lsh
