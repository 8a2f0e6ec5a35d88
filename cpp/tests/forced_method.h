// Costs that leave one method to sum spikes.
#pragma once

#include "runtime/sum_methods.h"

namespace snncore::runtime {

inline constexpr float kDear = 1e6F, kCheap = 1e-6F;

// Costs under which one method is the fastest, with any spikes, where weights have been laid out for it.
inline kernels::SumCosts only(SumMethod method) {
  const auto of = [&](SumMethod m) { return m == method ? kCheap : kDear; };
  const float gather = of(SumMethod::kGather), sparse = of(SumMethod::kSparse), look = of(SumMethod::kLookUp),
              dense = of(SumMethod::kDense);
  return {.tap = kCheap,
          .gather_part = gather,
          .gather_part_block = gather,
          .gather_spike_block = gather,
          .gather_wide_block = gather,
          .count_word_block = of(SumMethod::kCount),
          .lanes = 16,
          .spread = kCheap,
          .sparse_put = sparse,
          .sparse_code = sparse,
          .sparse_code_far = sparse,
          .lut_put = look,
          .lut_look = look,
          .dense_spread = dense,
          .dense_tile = dense,
          .dense_far = dense};
}

/// While it lives, one method is chosen wherever weights can be laid out for it.
class Forced {
 public:
  explicit Forced(SumMethod method) : costs_(only(method)) { replace_sum_costs(&costs_); }
  ~Forced() { replace_sum_costs(nullptr); }
  Forced(const Forced&) = delete;
  Forced& operator=(const Forced&) = delete;

 private:
  kernels::SumCosts costs_;
};

}  // namespace snncore::runtime
