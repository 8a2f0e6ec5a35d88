// The k nearest of a stream of candidates, and the limit that a candidate has to beat.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace snncore::lsh {

/// Distance and id in one number, so that the order of numbers is the order of (distance, id).
using Candidate = uint64_t;

inline constexpr int kIdBits = 40;

constexpr Candidate candidate(uint32_t distance, uint64_t id) noexcept {
  return static_cast<uint64_t>(distance) << kIdBits | id;
}
constexpr uint32_t distance_of(Candidate c) noexcept { return static_cast<uint32_t>(c >> kIdBits); }
constexpr uint64_t id_of(Candidate c) noexcept { return c & ((uint64_t{1} << kIdBits) - 1); }

/// Keeps at least the k nearest; when its room is full, exactly these. Ids must ascend: then one as far as
/// the k-th is never nearer, and only smaller distances need to be offered.
class Nearest {
 public:
  /// Room for k candidates: half of it is slack, so that selecting among them is rare.
  static constexpr size_t room(size_t k) noexcept { return k + std::max<size_t>(k, 16); }

  Nearest() = default;
  /// `kept` has room(k) places; k >= 1.
  Nearest(Candidate* kept, size_t k) noexcept : kept_(kept), k_(k) {}

  /// Candidates at this distance or farther are of no use.
  [[nodiscard]] uint32_t limit() const noexcept { return limit_; }

  void offer(uint32_t distance, uint64_t id) noexcept {
    if (distance >= limit_) return;
    kept_[count_++] = candidate(distance, id);
    if (count_ == room(k_)) select();
  }

  /// The k nearest, or as many as there are, in order; returns their number.
  size_t finish() noexcept {
    if (count_ > k_) select();
    std::sort(kept_, kept_ + count_);
    return count_;
  }

  [[nodiscard]] const Candidate* data() const noexcept { return kept_; }

 private:
  void select() noexcept {
    std::nth_element(kept_, kept_ + k_ - 1, kept_ + count_);
    count_ = k_;
    limit_ = distance_of(kept_[k_ - 1]);
  }

  Candidate* kept_ = nullptr;
  size_t k_ = 0, count_ = 0;
  uint32_t limit_ = UINT32_MAX;
};

}  // namespace snncore::lsh
