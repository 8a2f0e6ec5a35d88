// Codes in the layout of kernels::HammingScan, growing at the end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/align.h"
#include "kernels/table.h"

namespace snncore::lsh {

class CodeBlocks {
 public:
  explicit CodeBlocks(size_t bits) : bytes_((bits + 7) / 8) {}

  /// Appends `count` packed rows of ceil(bits / 64) words.
  void add(const uint64_t* rows, size_t count);

  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t blocks() const noexcept {
    return (size_ + kernels::kHammingBlock - 1) / kernels::kHammingBlock;
  }
  [[nodiscard]] const uint8_t* block(size_t index) const noexcept {
    return buffer_.as<uint8_t>() + index * block_bytes();
  }

 private:
  [[nodiscard]] size_t block_bytes() const noexcept { return bytes_ * kernels::kHammingBlock; }
  void reserve(size_t codes);

  size_t bytes_, size_ = 0;
  AlignedBuffer buffer_;
};

}  // namespace snncore::lsh
