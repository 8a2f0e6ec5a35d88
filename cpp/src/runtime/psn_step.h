// The parallel spiking neuron behind the layer that feeds it.
#pragma once

#include <memory>
#include <vector>

#include "runtime/neuron_step.h"

namespace snncore::runtime {

struct PsnNeuron {
  std::unique_ptr<Synapse> currents;
  std::vector<float> weights, bias;
  size_t taps = 1;
  bool looks_ahead =
      false;  // a row of weights and a bias for each step; else one row of the last `taps` steps
};

/// Bytes of state of such a layer: the currents of the taps - 1 steps before.
size_t psn_state_bytes(const NeuronPlace& place, const PsnNeuron& neuron) noexcept;

std::unique_ptr<Step> psn_step(PsnNeuron neuron, const NeuronPlace& place);

}  // namespace snncore::runtime
