// The parametrised float neuron as kernels see it (docs/format.md, `neuron`; step_neuron_f32 in table.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

enum class NeuronSynapse : uint8_t { kNone, kDecayAdd, kAddDecay, kJump, kRelax };
enum class NeuronCharge : uint8_t {
  kDecay,
  kRelaxDivide,
  kRelaxMultiply,
  kLeakDivide,
  kLeakMultiply,
  kEulerLeakFirst,
  kEulerInputFirst,
  kRest
};
enum class NeuronFire : uint8_t { kAtLeast, kAbove, kCount, kRound, kNone };
enum class NeuronReset : uint8_t { kNone, kZero, kValue, kSubtract };
enum class NeuronResetStep : uint8_t { kSame, kNextState, kNextCharge };
enum class NeuronFloor : uint8_t { kNone, kClamp, kShift };
enum class NeuronRefractory : uint8_t { kNone, kInput, kHold };

/// Which expression each stage evaluates. A delayed reset goes with fire kAtLeast or kAbove.
struct NeuronRule {
  NeuronSynapse synapse = NeuronSynapse::kNone;
  NeuronCharge charge = NeuronCharge::kDecay;
  NeuronFire fire = NeuronFire::kAtLeast;
  NeuronReset reset = NeuronReset::kNone;
  NeuronResetStep reset_step = NeuronResetStep::kSame;
  NeuronFloor floor = NeuronFloor::kNone;
  NeuronRefractory refractory = NeuronRefractory::kNone;
  bool old_voltage = false, correct = false;
  float most = 1;              // an integer, 1..65535
  float refractory_steps = 0;  // an integer, 0..32767

  [[nodiscard]] bool delayed() const noexcept { return old_voltage || reset_step != NeuronResetStep::kSame; }
};

/// A parameter: rows of channels_padded floats, `stride` floats from a pixel's to the next; 0: one row for
/// all.
struct NeuronValues {
  const float* row = nullptr;
  size_t stride = 0;
};

struct NeuronTile {
  const NeuronRule* rule;
  NeuronValues rate, input_gain, leak, bias, synapse_rate, synapse_gain, threshold, reset_value, drop, floor,
      initial;
  const float* currents;     // [t][pixel][channels_padded]
  size_t currents_t_stride;  // floats between steps; 0 when static
  size_t steps, pixels, channels, channels_padded;
  float *v, *i,
      *wait;   // null, or the state: [pixel][channels_padded] each; i and wait where the rule has them
  bool first;  // the state is not read: membranes start at `initial`, the rest at 0
  // One of these, as `fire` says: rows of spikes (out_stride in words), of counts (uint16), of h (floats).
  // Strides are in elements, from pixel to pixel and step to step. Rows of counts have no padding.
  uint64_t* out;
  uint16_t* counts;
  float* values;
  size_t out_stride, out_t_stride;
  float *record, *record_current;  // null, or v and i as kept: [t][pixel][channels_padded]
  size_t record_t_stride;
};

}  // namespace snncore::kernels
