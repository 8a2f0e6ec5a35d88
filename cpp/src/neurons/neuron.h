// The parametrised float neuron (docs/format.md, `neuron`).
#pragma once

#include <string>
#include <vector>

#include "kernels/neuron_tile.h"
#include "ops/op.h"

namespace snncore::neurons {

std::vector<const char*> neuron_attrs();
std::vector<const char*> neuron_roles();

/// What each stage evaluates; throws Error(kFormat) for a word or a combination that is none of the format's.
kernels::NeuronRule neuron_rule(const ops::NodeView& view);

/// Whether a stage of this rule reads the parameter `role`.
bool uses_value(const kernels::NeuronRule& rule, const std::string& role);
/// What a parameter is where a node does not carry it; `drop` is the threshold then, and rate and threshold
/// are always there if they are used.
float default_value(const std::string& role);

ops::Edge infer_neuron(const ops::NodeView& view);

/// Whether a neuron keeps a synaptic current.
bool has_current(const ops::Node& node);

}  // namespace snncore::neurons
