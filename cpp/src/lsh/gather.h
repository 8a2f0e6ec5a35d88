// The nearest codes of a query, by one plan or another: lists in the order of (Hamming distance, slot).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lsh/allowed.h"
#include "lsh/probes.h"
#include "lsh/rank.h"

namespace snncore::lsh {

/// By looking at all codes: the `width` nearest of each of `count` codes, [count][words].
void scan(const Collection& all, const Allowed& allowed, const uint64_t* codes, size_t count, size_t width,
          size_t threads, std::vector<Ranked>* lists);

/// The plans that look at some codes, for one query at a time; one for each worker.
class Gatherer {
 public:
  Gatherer(const Collection& all, const Allowed& allowed, std::atomic<bool>& damaged);

  /// All that are allowed, one by one: for few.
  void listed(const Query& query, size_t width, std::vector<Ranked>& list);
  /// Those of the `probes` likeliest buckets, and of the segment without tables.
  void multi_table(const Query& query, size_t probes, size_t width, std::vector<Ranked>& list);
  /// The same as scan(): by pigeonhole, codes that differ in less than tables * (f + 1) bits differ in at
  /// most f within one of the slices. False where more buckets than codes would be looked at; the list is
  /// then of no use.
  [[nodiscard]] bool mih(const Query& query, size_t width, std::vector<Ranked>& list);
  /// All codes within a radius, the same way.
  [[nodiscard]] bool within(const uint64_t* code, size_t radius, std::vector<Ranked>& list);

  /// Since it was made.
  [[nodiscard]] size_t candidates() const noexcept { return candidates_; }
  [[nodiscard]] size_t buckets() const noexcept { return buckets_; }

 private:
  void start(const uint64_t* code, std::vector<Ranked>& list);
  void visit(size_t table, uint32_t key);
  void visit_flips(size_t table, uint32_t home, size_t flips);
  [[nodiscard]] bool affordable(size_t flips) const noexcept;
  void visit_open_segment();
  void measure(std::vector<Ranked>& list);

  const Collection& all_;
  const Allowed& allowed_;
  std::atomic<bool>& damaged_;
  Probes probes_;
  const uint64_t* code_ = nullptr;
  std::vector<uint64_t> seen_;  // a bit for each slot
  std::vector<uint32_t> found_, local_, distances_;
  size_t candidates_ = 0, buckets_ = 0, measured_ = 0;
};

}  // namespace snncore::lsh
