// Codes in the layout of kernels::HammingScan, growing at the end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/hamming.h"
#include "lsh/column.h"

namespace snncore::lsh {

class CodeBlocks {
 public:
  explicit CodeBlocks(size_t bits) : bytes_((bits + 7) / 8) {}
  /// `size` codes that a file holds; `stored` has the bytes of whole blocks.
  CodeBlocks(size_t bits, size_t size, tensor::Tensor stored)
      : bytes_((bits + 7) / 8), size_(size), blocks_(std::move(stored)) {}

  /// Appends `count` packed rows of ceil(bits / 64) words.
  void add(const uint64_t* rows, size_t count);
  void reserve(size_t codes);

  /// Copies one code into a packed row.
  void copy(size_t code, uint64_t* row) const noexcept;

  [[nodiscard]] size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t blocks() const noexcept {
    return (size_ + kernels::kHammingBlock - 1) / kernels::kHammingBlock;
  }
  [[nodiscard]] size_t block_bytes() const noexcept { return bytes_ * kernels::kHammingBlock; }
  [[nodiscard]] const uint8_t* block(size_t index) const noexcept {
    return blocks_.data() + index * block_bytes();
  }
  [[nodiscard]] const Column<uint8_t>& column() const noexcept { return blocks_; }

 private:
  size_t bytes_, size_ = 0;
  Column<uint8_t> blocks_;
};

}  // namespace snncore::lsh
