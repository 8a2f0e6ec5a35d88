// A neuron behind the layers that feed it: tiles of sums for all time steps, then one call of the neuron's
// kernel.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "kernels/neurons.h"
#include "runtime/frame.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

/// One sum that enters a requantisation: I gets `factor[c] * sum`.
struct SumInput {
  std::unique_ptr<Synapse> synapse;
  std::vector<int32_t> factor;  // M.j, padded; a row for each step, or one
  bool is_short = false;        // the sum is proven to lie in int16
};

/// Spikes or counts that enter with an integer weight: I gets `factor[c] * s`.
struct SpikeInput {
  Slot slot;
  std::vector<int32_t> factor;  // K.j, padded
};

/// A requantisation before a neuron; constants here and below are padded to `channels_padded`.
struct IntCurrents {
  std::vector<SumInput> sums;
  std::vector<SpikeInput> spikes;
  std::vector<int32_t> c, n;  // c without the rounding half, and like a factor
  bool wide = false;
  bool each_step = false;  // some have a row for each step
};

struct IntNeuron {
  std::vector<int32_t> theta;  // profile X: [K][channels_padded]; T: [3][channels_padded]
  std::vector<int32_t> gamma;  // profile T: [6][channels_padded]
  std::vector<int32_t> psi;    // empty: reset to zero
  std::vector<int16_t> load;   // states kept as codes: what they stand for, 16 entries at least
  std::vector<int16_t> edges;  // and where one begins, or empty (kernels::LifTile)
  int32_t code_shift = 0;      // of those states
  kernels::Leak leak = kernels::Leak::kNone;
  int32_t leak_param = 0;
  bool leak_at_store = false;
  int state_bits = 16;
  std::optional<int32_t> profile_x_shift;
};

struct CubaNeuron {
  int32_t current_decay = 0, decay = 0, input_shift = 0;
  std::vector<int32_t> theta, bias;
};

struct FloatNeuron {
  std::unique_ptr<Synapse> currents;
  float decay = 0, input_gain = 1, threshold = 1;
  bool subtract = false, strict = false;
};

/// Where a neuron's values go. Offsets are into the state arena; no state: every run starts from zero.
struct NeuronPlace {
  Slot out;
  size_t steps = 1;
  size_t threads = 1;
  std::optional<size_t> state_offset;
  std::optional<size_t> age_offset;    // profile X
  std::optional<Slot> record;          // membranes after reset: rows of channels_padded int32 or float
  std::optional<Slot> record_current;  // the same of synaptic currents
};

/// Bytes of state of one neuron layer and, for profile X, of its ages.
size_t neuron_state_bytes(const NeuronPlace& place, int state_bits) noexcept;
size_t neuron_age_bytes(const NeuronPlace& place) noexcept;

std::unique_ptr<Step> int_neuron_step(IntNeuron neuron, IntCurrents currents, const NeuronPlace& place);
std::unique_ptr<Step> cuba_neuron_step(CubaNeuron neuron, IntCurrents currents, const NeuronPlace& place);
std::unique_ptr<Step> float_neuron_step(FloatNeuron neuron, const NeuronPlace& place);

/// Output pixels of one tile behind these currents.
size_t currents_tile(const IntCurrents& currents, const NeuronPlace& place) noexcept;

/// A conv2d or linear whose result is wanted in memory.
std::unique_ptr<Step> sums_step(std::unique_ptr<Synapse> synapse, const Slot& out, size_t threads);

/// Output pixels of one tile: `good` with all steps, so few that their sums stay in the cache, and such that
/// the threads get the same number of tiles of `samples` samples, as long as there are pixels for it;
/// where that leaves them enough, tiles end with lines, or are equal parts of one.
size_t tile_pixels(const NeuronPlace& place, size_t samples, TileSize good) noexcept;

}  // namespace snncore::runtime
