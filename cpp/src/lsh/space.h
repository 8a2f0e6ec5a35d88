// What a metric means for codes: vectors are laid out so that near ones get near codes.
#pragma once

#include <cstddef>

#include <snncore/lsh.h>

namespace snncore::lsh {

/// l2: vectors as they are. Cosine: of length 1. Inner product: one more coordinate makes all of them as long
/// as the longest, while queries have 0 there; then the largest product is the smallest angle.
class Space {
 public:
  Space(Metric metric, size_t dim) : metric_(metric), dim_(dim) {}

  [[nodiscard]] size_t dim() const noexcept { return dim_; }
  [[nodiscard]] size_t encoder_dim() const noexcept {
    return dim_ + (metric_ == Metric::kInnerProduct ? 1 : 0);
  }
  [[nodiscard]] Metric metric() const noexcept { return metric_; }

  /// The longest vector that is expected; longer ones count as if they were as long.
  [[nodiscard]] float longest() const noexcept { return longest_; }
  void set_longest(float longest) noexcept { longest_ = longest; }

  /// rows [count][dim] -> [count][encoder_dim].
  void embed(const float* rows, size_t count, float* out) const noexcept;
  void embed_queries(const float* rows, size_t count, float* out) const noexcept;

 private:
  Metric metric_;
  size_t dim_;
  float longest_ = 1;
};

}  // namespace snncore::lsh
