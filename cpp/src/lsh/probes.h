// Which buckets a query visits, the likeliest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lsh/tables.h"

namespace snncore::lsh {

/// A query's buckets in the order of (score, table, flips): the score is the sum of the squared logits of the
/// bits that are flipped, summed from the smallest; flips are a mask over the bits of the key, the surest bit
/// the highest. One heap for all tables, so that the tables that know less about a query are asked more.
class Probes {
 public:
  explicit Probes(const TableShape& shape) : shape_(shape), order_(shape.tables * shape.key_bits) {}

  /// `logits` and `code` of a query, at least tables * key_bits of them.
  void start(const float* logits, const uint64_t* code);

  struct Probe {
    float score = 0;
    uint32_t table = 0, key = 0;
  };
  /// The score of a bucket that is as likely as `least`: 1 is a home bucket, 0 one with all bits of a key
  /// flipped, on average over the tables. Infinite for 0: all buckets are likelier.
  [[nodiscard]] float score_of(float least) const noexcept;
  /// False when all buckets have been given.
  bool next(Probe& probe);

 private:
  struct Entry {
    float score, below;  // below: without the highest flip
    uint32_t table, flips, key;
  };
  struct Bit {
    float square;
    uint32_t mask;
  };
  static bool later(const Entry& a, const Entry& b) noexcept;
  void push(const Entry& entry);

  TableShape shape_;
  std::vector<Bit> order_;  // [tables][key_bits], the least sure first
  std::vector<Entry> heap_;
};

}  // namespace snncore::lsh
