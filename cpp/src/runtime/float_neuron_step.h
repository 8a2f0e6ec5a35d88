// The parametrised float neuron behind the layer that feeds it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/neuron_tile.h"
#include "ops/op.h"
#include "runtime/neuron_step.h"

namespace snncore::runtime {

/// A parameter in the kernel's rows.
struct NeuronRows {
  std::vector<float> rows;
  size_t stride = 0;
};

struct RuleNeuron {
  std::unique_ptr<Synapse> currents;
  kernels::NeuronRule rule;
  NeuronRows rate, input_gain, leak, bias, synapse_rate, synapse_gain, threshold, reset_value, drop, floor,
      initial;
  // Offsets into the state arena, if the neuron keeps them.
  std::optional<size_t> v, i, wait;
};

/// The rule and the parameters of a node, whose output is placed in `out`.
RuleNeuron rule_neuron(const ops::NodeView& node, const Slot& out);

/// The same as a plain `lif`, whose kernel keeps its few numbers in registers; null where it is more than
/// that. Takes the currents.
std::optional<FloatNeuron> plain_neuron(RuleNeuron& neuron);

std::unique_ptr<Step> rule_neuron_step(RuleNeuron neuron, const NeuronPlace& place);

}  // namespace snncore::runtime
