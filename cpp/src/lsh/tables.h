// Hash tables over slices of codes: the codes of a bucket are a row of a compressed sparse matrix.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "lsh/column.h"

namespace snncore::lsh {

/// Where the tables take their keys from: table l from bits l * key_bits on.
struct TableShape {
  size_t tables = 0, key_bits = 0;

  [[nodiscard]] size_t buckets() const noexcept { return size_t{1} << key_bits; }
  [[nodiscard]] uint32_t key(const uint64_t* code, size_t table) const noexcept;
};

class Tables {
 public:
  Tables() = default;
  /// Of `count` packed codes of `words` words.
  Tables(const TableShape& shape, const uint64_t* codes, size_t words, size_t count);
  /// Of a file: offsets [tables][buckets + 1], slots [tables][count].
  Tables(const TableShape& shape, size_t count, tensor::Tensor offsets, tensor::Tensor slots)
      : shape_(shape), count_(count), offsets_(std::move(offsets)), slots_(std::move(slots)) {}

  /// The codes of a bucket, ascending; each is to be checked by `valid`. A bucket that does not lie in its
  /// table, as only a damaged file has it, is empty and sets `damaged`.
  [[nodiscard]] std::span<const uint32_t> bucket(size_t table, uint32_t key,
                                                 std::atomic<bool>& damaged) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return offsets_.size() == 0; }
  [[nodiscard]] const Column<uint32_t>& offsets() const noexcept { return offsets_; }
  [[nodiscard]] const Column<uint32_t>& slots() const noexcept { return slots_; }

 private:
  TableShape shape_;
  size_t count_ = 0;
  Column<uint32_t> offsets_, slots_;
};

}  // namespace snncore::lsh
