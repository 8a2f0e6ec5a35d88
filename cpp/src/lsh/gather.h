// The nearest codes of a query, by one plan or another: lists of (Hamming distance, slot), in any order.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lsh/allowed.h"
#include "lsh/probes.h"
#include "lsh/rank.h"

namespace snncore::lsh {

/// By looking at all codes: the `width` nearest of each of `count` codes, [count][words].
void scan(const Collection& all, const Allowed& allowed, const uint64_t* codes, size_t count, size_t width,
          size_t threads, std::vector<Ranked>* lists);

/// When multi_table stops: after so many buckets, or as soon as they held so many codes, or when a bucket is
/// less likely than `least`: 1 is the query's own, 0 one whose flipped bits have all of the squared logits of
/// a key, on average over the tables.
struct StopRules {
  size_t buckets = 0, candidates = SIZE_MAX;
  float least = 0;
};

/// Some of the slots: those of part `index` of `count` equal ones.
struct Part {
  size_t index = 0, count = 1;

  [[nodiscard]] size_t begin(size_t slots) const noexcept { return cut(slots, index); }
  [[nodiscard]] size_t end(size_t slots) const noexcept { return cut(slots, index + 1); }

 private:
  [[nodiscard]] size_t cut(size_t slots, size_t parts) const noexcept {
    return static_cast<size_t>(uint64_t{slots} * parts / count);
  }
};

/// The plans that look at some codes, for one query at a time; one for each worker.
class Gatherer {
 public:
  Gatherer(const Collection& all, const Allowed& allowed, std::atomic<bool>& damaged);

  /// All that are allowed, one by one: for few.
  void listed(const Query& query, size_t width, std::vector<Ranked>& list);
  /// Those of the likeliest buckets, and of the segment without tables. A part of the slots has its `width`
  /// nearest; rules.candidates asks for all slots at once.
  void multi_table(const Query& query, const StopRules& rules, size_t width, Part part,
                   std::vector<Ranked>& list);
  /// The same as scan(): by pigeonhole, codes that differ in less than tables * (f + 1) bits differ in at
  /// most f within one of the slices. False where more buckets than codes would be looked at; the list is
  /// then of no use.
  [[nodiscard]] bool mih(const Query& query, size_t width, std::vector<Ranked>& list);
  /// All codes of a part within a radius, the same way.
  [[nodiscard]] bool within(const uint64_t* code, size_t radius, Part part, std::vector<Ranked>& list);

  /// Since it was made.
  [[nodiscard]] size_t candidates() const noexcept { return candidates_; }
  [[nodiscard]] size_t buckets() const noexcept { return buckets_; }

 private:
  struct Found {
    std::vector<uint32_t> slots;  // of the segment
    size_t measured = 0;
  };

  void start(const uint64_t* code, Part part, std::vector<Ranked>& list);
  void finish();
  void prefetch(std::span<const Probes::Probe> probes) const;
  void visit(size_t table, uint32_t key);
  void take(size_t segment, std::span<const uint32_t> bucket);
  void visit_flips(size_t table, uint32_t home, size_t flips);
  [[nodiscard]] bool affordable(size_t flips) const noexcept;
  void visit_open_segment();
  void measure(std::vector<Ranked>& list);
  void measure_nearest(size_t width, std::vector<Ranked>& list);

  const Collection& all_;
  const Allowed& allowed_;
  std::atomic<bool>& damaged_;
  Probes probes_;
  const uint64_t* code_ = nullptr;
  Part part_;
  size_t begin_ = 0, end_ = 0;  // slots of the part
  std::vector<uint64_t> seen_;  // a bit for each slot
  std::vector<Found> found_;    // in each segment
  std::vector<uint32_t> distances_;
  size_t found_count_ = 0, measured_count_ = 0;
  Ranked limit_ = ~Ranked{0};  // what is not nearer is of no use
  size_t candidates_ = 0, buckets_ = 0;
};

}  // namespace snncore::lsh
