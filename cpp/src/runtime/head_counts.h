// Spikes of each head of a token: of one edge, or of two where both fire.
#pragma once

#include <utility>
#include <vector>

#include "base/align.h"
#include "kernels/table.h"
#include "runtime/frame.h"

namespace snncore::runtime {

class HeadCounts {
 public:
  HeadCounts(std::vector<Slot> inputs, size_t heads) : inputs_(std::move(inputs)), heads_(heads) {}

  /// The least elements of a token's row of counts.
  [[nodiscard]] size_t pitch() const noexcept { return align_up(heads_, kernels::kGroupPad); }

  /// The rows of `count` tokens of a step and sample from `first` on, zeros behind the heads; the pitch is a
  /// multiple of kGroupPad.
  void write(const Frame& f, size_t t, size_t n, size_t first, size_t count, int32_t* to,
             size_t pitch) const noexcept {
    const Slot& x = inputs_[0];
    const auto* others = inputs_.size() == 2 ? inputs_[1].row<uint64_t>(f, t, n, first) : nullptr;
    kernels::kernels().count_groups_b1_i32({x.row<uint64_t>(f, t, n, first), others, count,
                                            x.row_bytes / sizeof(uint64_t), heads_, x.channels / heads_},
                                           to, pitch);
  }

 private:
  std::vector<Slot> inputs_;
  size_t heads_;
};

}  // namespace snncore::runtime
