// Hash tables over slices of codes: the codes of a bucket are a row of a compressed sparse matrix.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "lsh/column.h"

namespace snncore::lsh {

inline constexpr size_t kListedKeyBits = 20;  // with more, only keys that occur are listed

/// Where the tables take their keys from: table l from bits l * key_bits on.
struct TableShape {
  size_t tables = 0, key_bits = 0;

  [[nodiscard]] size_t buckets() const noexcept { return size_t{1} << key_bits; }
  [[nodiscard]] bool lists_all() const noexcept { return key_bits <= kListedKeyBits; }
  [[nodiscard]] uint32_t key(const uint64_t* code, size_t table) const noexcept;
};

/// What a file keeps of tables of `count` codes. Bucket b of table t has the slots from offsets[b] on, of the
/// [count] that are the table's. Where shape.lists_all(), offsets is [tables][buckets + 1], with the end of
/// each bucket, and b is a key; else table t has the entries first[t]..first[t + 1] - 1 of `keys`, ascending,
/// and of `offsets`, and its last bucket ends at `count`.
struct TableColumns {
  Column<uint32_t> offsets, slots, keys;
  Column<uint64_t> first;
};

class Tables {
 public:
  Tables() = default;
  /// Of `count` packed codes of `words` words; the same for any number of threads.
  Tables(const TableShape& shape, const uint64_t* codes, size_t words, size_t count, size_t threads = 1);
  /// Of a file.
  Tables(const TableShape& shape, size_t count, TableColumns columns)
      : shape_(shape), count_(count), columns_(std::move(columns)) {}

  /// The codes of a bucket, ascending; each is to be checked by `valid`. A bucket that does not lie in its
  /// table, as only a damaged file has it, is empty and sets `damaged`.
  [[nodiscard]] std::span<const uint32_t> bucket(size_t table, uint32_t key,
                                                 std::atomic<bool>& damaged) const noexcept;

  [[nodiscard]] const TableColumns& columns() const noexcept { return columns_; }
  [[nodiscard]] size_t bytes() const noexcept;

 private:
  struct Bounds {
    uint32_t begin = 0, end = 0;
  };
  void fill_all(const uint64_t* codes, size_t words, size_t threads);
  void fill_occurring(const uint64_t* codes, size_t words, size_t threads);
  [[nodiscard]] Bounds find(size_t table, uint32_t key, std::atomic<bool>& damaged) const noexcept;

  TableShape shape_;
  size_t count_ = 0;
  TableColumns columns_;
};

}  // namespace snncore::lsh
