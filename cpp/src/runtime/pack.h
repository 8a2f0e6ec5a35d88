// What the layouts of weights share.
#pragma once

#include "runtime/synapse_base.h"
#include "tensor/tensor.h"

namespace snncore::runtime {

// Visits every weight of a group: f(tap, input, channel in group, index in the stored order
// [C][taps][inputs]).
template <typename F>
void for_weights(const SynapseShape& s, size_t g, F&& f) {
  const size_t taps = s.window.taps(), gc = s.group_channels();
  for (size_t c = 0; c < gc; ++c) {
    size_t i = (g * gc + c) * taps * s.inputs;
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t k = 0; k < s.inputs; ++k, ++i) f(tap, k, c, i);
    }
  }
}

void pack_spike_weights(const tensor::Tensor& w, const SynapseShape& s, PackedWeights& out);

}  // namespace snncore::runtime
