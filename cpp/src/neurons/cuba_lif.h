// The fixed-point neuron with a synaptic current (docs/format.md, `cuba_lif`): the rule of Loihi and Lava.
#pragma once

#include "ops/op.h"

namespace snncore::neurons {

ops::Edge infer_cuba_lif(const ops::NodeView& view);

}  // namespace snncore::neurons
