// One `infer` for each operation of the registry; the neurons' are in neurons/lif.h.
#pragma once

#include "ops/op.h"

namespace snncore::ops {

Edge infer_conv2d(const NodeView& view);
Edge infer_linear(const NodeView& view);
/// The range of the current is proven by the graph, which knows the producers of the sums: see requant_range
/// in ops/bounds.h.
Edge infer_requant(const NodeView& view);
Edge infer_maxpool2d(const NodeView& view);
Edge infer_avgpool2d(const NodeView& view);
Edge infer_add(const NodeView& view);
Edge infer_flatten(const NodeView& view);
Edge infer_readout(const NodeView& view);

}  // namespace snncore::ops
