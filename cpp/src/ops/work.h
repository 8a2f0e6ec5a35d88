// How much a node has to add up.
#pragma once

#include "ops/op.h"

namespace snncore::ops {

/// Synaptic operations of one step of one sample of a checked node that gives `out`: a weight times an input
/// for every output and every weight that it has, borders and zeros included; two bits compared, of what
/// counts spikes. 0 for other nodes.
double synaptic_operations(const NodeView& node, const Edge& out);

}  // namespace snncore::ops
