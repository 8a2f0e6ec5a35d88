#include "lsh/tables.h"

#include <algorithm>
#include <vector>

#include "base/bits.h"
#include "lsh/each.h"

namespace snncore::lsh {

uint32_t TableShape::key(const uint64_t* code, size_t table) const noexcept {
  uint64_t key = 0;
  extract_bits(code, table * key_bits, key_bits, &key);
  return static_cast<uint32_t>(key);
}

Tables::Tables(const TableShape& shape, const uint64_t* codes, size_t words, size_t count, size_t threads)
    : shape_(shape), count_(count) {
  columns_.slots.append(shape.tables * count);
  if (shape.lists_all()) {
    fill_all(codes, words, threads);
  } else {
    fill_occurring(codes, words, threads);
  }
}

void Tables::fill_all(const uint64_t* codes, size_t words, size_t threads) {
  const size_t row = shape_.buckets() + 1;
  uint32_t* all_offsets = columns_.offsets.append(shape_.tables * row);
  uint32_t* all_slots = columns_.slots.writable();
  for_each_item(shape_.tables, threads, [&](size_t, size_t table) {
    uint32_t *offsets = all_offsets + table * row, *slots = all_slots + table * count_;
    // Counted two places on: filling moves an offset from its bucket's start to its end.
    for (size_t i = 0; i < count_; ++i) {
      const uint32_t key = shape_.key(codes + i * words, table);
      if (key + 2 < row) ++offsets[key + 2];
    }
    for (size_t key = 2; key < row; ++key) offsets[key] += offsets[key - 1];
    for (size_t i = 0; i < count_; ++i) {
      slots[offsets[shape_.key(codes + i * words, table) + 1]++] = static_cast<uint32_t>(i);
    }
  });
}

void Tables::fill_occurring(const uint64_t* codes, size_t words, size_t threads) {
  struct Directory {
    std::vector<uint32_t> keys, offsets;
  };
  std::vector<Directory> directories(shape_.tables);
  uint32_t* all_slots = columns_.slots.writable();
  for_each_item(shape_.tables, threads, [&](size_t, size_t table) {
    std::vector<uint64_t> sorted(count_);  // (key, slot)
    for (size_t i = 0; i < count_; ++i) sorted[i] = uint64_t{shape_.key(codes + i * words, table)} << 32 | i;
    std::sort(sorted.begin(), sorted.end());
    Directory& d = directories[table];
    for (size_t i = 0; i < count_; ++i) {
      const auto key = static_cast<uint32_t>(sorted[i] >> 32);
      all_slots[table * count_ + i] = static_cast<uint32_t>(sorted[i]);
      if (i > 0 && key == d.keys.back()) continue;
      d.keys.push_back(key);
      d.offsets.push_back(static_cast<uint32_t>(i));
    }
  });
  uint64_t* first = columns_.first.append(shape_.tables + 1);
  for (size_t table = 0; table < shape_.tables; ++table) {
    const Directory& d = directories[table];
    columns_.keys.append(d.keys.data(), d.keys.size());
    columns_.offsets.append(d.offsets.data(), d.offsets.size());
    first[table + 1] = first[table] + d.keys.size();
  }
}

Tables::Bounds Tables::find(size_t table, uint32_t key, std::atomic<bool>& damaged) const noexcept {
  const uint32_t* offsets = columns_.offsets.data();
  if (shape_.lists_all()) {
    offsets += table * (shape_.buckets() + 1) + key;
    return {offsets[0], offsets[1]};
  }
  const uint64_t first = columns_.first[table], last = columns_.first[table + 1];
  if (first > last || last > columns_.keys.size()) {
    damaged.store(true, std::memory_order_relaxed);
    return {};
  }
  const uint32_t *keys = columns_.keys.data(), *end = keys + last;
  const uint32_t* at = std::lower_bound(keys + first, end, key);
  if (at == end || *at != key) return {};
  const auto entry = static_cast<size_t>(at - keys);
  return {offsets[entry], entry + 1 < last ? offsets[entry + 1] : static_cast<uint32_t>(count_)};
}

std::span<const uint32_t> Tables::bucket(size_t table, uint32_t key,
                                         std::atomic<bool>& damaged) const noexcept {
  const auto [begin, end] = find(table, key, damaged);
  if (begin > end || end > count_) {
    damaged.store(true, std::memory_order_relaxed);
    return {};
  }
  return {columns_.slots.data() + table * count_ + begin, end - begin};
}

size_t Tables::bytes() const noexcept {
  return columns_.offsets.bytes() + columns_.slots.bytes() + columns_.keys.bytes() + columns_.first.bytes();
}

}  // namespace snncore::lsh
