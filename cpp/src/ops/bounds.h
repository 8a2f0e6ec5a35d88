// How large accumulators and currents can get, proven for each channel from the weights and the range of the
// input.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace snncore::ops {

/// For every output channel the exact range [lo, hi] of the sum, and A_max = x_max * sum |m| (x_max: 1 for
/// spikes, the largest count, 255 for pixels), which is at least as large as both ends.
struct ChannelRange {
  std::vector<int64_t> lo, hi, a_max;
};

/// Of a node that gives a sum and was checked before: a conv2d or linear with coded weights, or an operation
/// that counts spikes. Throws Error(kFormat) when a sum may leave int32.
ChannelRange channel_range(const NodeView& node);

/// A_max alone.
std::vector<int64_t> accumulator_bounds(const NodeView& node);

struct Range {
  int64_t lo, hi;
};

/// The range of the current of a requant node that was checked before. `sums[j]` belongs to input j and is
/// null where that is a spike or count edge. Throws Error(kFormat) when the node breaks its bound
/// (docs/format.md, `requant`) or the current leaves int32; a current made of a stream saturates there.
Range requant_range(const NodeView& requant, const std::vector<const ChannelRange*>& sums);

/// The same of a residual node; `sums` holds what its streams reach, too. What it weighs saturates, then what
/// it adds up does; what spikes add must stay in int32.
ChannelRange residual_range(const NodeView& residual, const std::vector<const ChannelRange*>& sums);

}  // namespace snncore::ops
