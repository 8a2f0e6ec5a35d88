// The parallel spiking neuron (docs/format.md, `psn`).
#pragma once

#include "ops/op.h"

namespace snncore::neurons {

ops::Edge infer_psn(const ops::NodeView& view);

/// Does it weigh all steps of a run at once, and not only those before?
bool looks_ahead(const ops::NodeView& psn);

}  // namespace snncore::neurons
