// One `infer` for each operation of the registry; the neurons' are in neurons/lif.h. The ranges of sums and
// currents are left at [0, 0]: the graph proves them in one pass over the weights (channel_range and
// requant_range in ops/bounds.h).
#pragma once

#include "ops/op.h"

namespace snncore::ops {

/// Steps that a delay may take.
inline constexpr int64_t kMaxDelay = 4096;

/// The factors M.j of sums and K.j of spikes and counts, then C and n, of a node like `requant`; returns how
/// many inputs have an M. `scales_streams`: streams have one, too; else they are added as they are.
size_t check_factors(const NodeView& view, bool scales_streams);

/// Steps that a node like `requant` has rows of factors for; 0: it has the same for all.
int64_t factor_steps(const NodeView& view);

/// Steps that a saccade weighs.
int64_t saccade_steps(const NodeView& view);

/// Are the maps of `map_scores` and `map_product` of pairs of tokens ("qk"), or of channels ("kv")?
bool map_pairs_tokens(const NodeView& view);

Edge infer_conv2d(const NodeView& view);
Edge infer_linear(const NodeView& view);
Edge infer_requant(const NodeView& view);
Edge infer_residual(const NodeView& view);
Edge infer_saccade(const NodeView& view);
Edge infer_maxpool2d(const NodeView& view);
Edge infer_avgpool2d(const NodeView& view);
Edge infer_add(const NodeView& view);
Edge infer_couple(const NodeView& view);
Edge infer_flatten(const NodeView& view);
Edge infer_delay(const NodeView& view);
Edge infer_attention(const NodeView& view);
Edge infer_map_scores(const NodeView& view);
Edge infer_map_product(const NodeView& view);
Edge infer_count(const NodeView& view);
Edge infer_mask(const NodeView& view);
Edge infer_readout(const NodeView& view);

}  // namespace snncore::ops
