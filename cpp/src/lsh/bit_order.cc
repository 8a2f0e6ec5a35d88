#include "lsh/bit_order.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <tuple>

#include "base/bits.h"
#include "kernels/table.h"

namespace snncore::lsh {
namespace {

// Codes in the order of the buckets that a key's bits so far make. Alone in its bucket a code takes no part.
class Buckets {
 public:
  Buckets(const uint64_t* codes, size_t count, size_t bits)
      : bits_(bits), words_(bits / 64), rows_(codes, codes + count * words_), sizes_{count}, ones_(bits) {}

  /// pairs[b]: the ordered pairs, with themselves, that share a bucket after it is split by bit b.
  void count_pairs(uint64_t* pairs) {
    std::fill_n(pairs, bits_, 0);
    const uint64_t* rows = rows_.data();
    for (const size_t size : sizes_) {
      kernels::kernels().count_columns_b1_i32(rows, nullptr, size, words_, bits_, ones_.data());
      for (size_t b = 0; b < bits_; ++b) {
        const auto set = static_cast<uint64_t>(ones_[b]), clear = size - set;
        pairs[b] += set * set + clear * clear;
      }
      rows += size * words_;
    }
  }

  void split(size_t bit) {
    std::vector<uint64_t> rows;
    std::vector<size_t> sizes;
    const uint64_t* bucket = rows_.data();
    for (const size_t size : sizes_) {
      for (const bool wanted : {false, true}) {
        const size_t before = rows.size();
        for (size_t r = 0; r < size; ++r) {
          const uint64_t* row = bucket + r * words_;
          if (get_bit(row, bit) == wanted) rows.insert(rows.end(), row, row + words_);
        }
        const size_t part = (rows.size() - before) / words_;
        if (part > 1) sizes.push_back(part);
        if (part == 1) rows.resize(before);
      }
      bucket += size * words_;
    }
    rows_ = std::move(rows);
    sizes_ = std::move(sizes);
  }

 private:
  size_t bits_, words_;
  std::vector<uint64_t> rows_;
  std::vector<size_t> sizes_;
  std::vector<int32_t> ones_;
};

}  // namespace

std::vector<uint32_t> even_order(const uint64_t* codes, size_t count, size_t bits, const TableShape& tables) {
  const Buckets all(codes, count, bits);
  std::vector<uint64_t> halves(bits), pairs(bits);
  Buckets(all).count_pairs(halves.data());
  std::vector<uint32_t> left(bits), order;
  std::iota(left.begin(), left.end(), 0);
  for (size_t table = 0; table < tables.tables; ++table) {
    Buckets buckets = all;
    for (size_t i = 0; i < tables.key_bits; ++i) {
      buckets.count_pairs(pairs.data());
      const auto best = std::min_element(left.begin(), left.end(), [&](uint32_t a, uint32_t b) {
        return std::tie(pairs[a], halves[a]) < std::tie(pairs[b], halves[b]);
      });
      buckets.split(*best);
      order.push_back(*best);
      left.erase(best);
    }
  }
  order.insert(order.end(), left.begin(), left.end());
  return order;
}

}  // namespace snncore::lsh
