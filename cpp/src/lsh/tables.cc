#include "lsh/tables.h"

#include "base/bits.h"

namespace snncore::lsh {

uint32_t TableShape::key(const uint64_t* code, size_t table) const noexcept {
  uint64_t key = 0;
  extract_bits(code, table * key_bits, key_bits, &key);
  return static_cast<uint32_t>(key);
}

Tables::Tables(const TableShape& shape, const uint64_t* codes, size_t words, size_t count)
    : shape_(shape), count_(count) {
  const size_t row = shape.buckets() + 1;
  uint32_t* offsets = offsets_.append(shape.tables * row);
  uint32_t* slots = slots_.append(shape.tables * count);
  for (size_t table = 0; table < shape.tables; ++table, offsets += row, slots += count) {
    // Counted two places on: filling moves an offset from its bucket's start to its end.
    for (size_t i = 0; i < count; ++i) {
      const uint32_t key = shape.key(codes + i * words, table);
      if (key + 2 < row) ++offsets[key + 2];
    }
    for (size_t key = 2; key < row; ++key) offsets[key] += offsets[key - 1];
    for (size_t i = 0; i < count; ++i) {
      slots[offsets[shape.key(codes + i * words, table) + 1]++] = static_cast<uint32_t>(i);
    }
  }
}

std::span<const uint32_t> Tables::bucket(size_t table, uint32_t key,
                                         std::atomic<bool>& damaged) const noexcept {
  const uint32_t* offsets = offsets_.data() + table * (shape_.buckets() + 1) + key;
  const uint32_t begin = offsets[0], end = offsets[1];
  if (begin > end || end > count_) {
    damaged.store(true, std::memory_order_relaxed);
    return {};
  }
  return {slots_.data() + table * count_ + begin, end - begin};
}

}  // namespace snncore::lsh
