// The neurons `if` and `lif`, integer and float (docs/format.md).
#pragma once

#include <cstdint>
#include <vector>

#include "ops/op.h"

namespace snncore::neurons {

/// Every attribute a neuron may carry; which ones it must carry depends on `arith`.
std::vector<const char*> lif_attrs();

ops::Edge infer_lif(const ops::NodeView& view);
ops::Edge infer_if(const ops::NodeView& view);

/// What profiles U and X promise about the requant before the neuron. `a_max[j]` holds the bounds of input j
/// of `requant`, for each channel (ops/bounds.h); it is empty where that input is a spike or count edge.
/// Throws Error(kFormat).
void check_profile(const ops::NodeView& neuron, const ops::NodeView& requant,
                   const std::vector<std::vector<int64_t>>& a_max);

}  // namespace snncore::neurons
