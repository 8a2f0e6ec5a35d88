/// \file
/// Neurons on arrays of currents, with the kernels a model runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include <snncore/builder.h>
#include <snncore/functional.h>

namespace snncore {

/// Currents that the caller owns, in C order: [T, N, C, ...], or (`channels_last`) [T, N, ..., C]. Channels
/// last are read as they lie and are the faster; channels first cost a transposition of the spikes.
struct Currents {
  std::variant<const int8_t*, const int16_t*, const int32_t*, const float*> values;
  Shape shape;  ///< no axis is 0
  bool channels_last = false;
};

/// Runs integer neurons from zero state over all steps (docs/format.md, `lif`). Of `spec`, theta and psi are
/// [C] or one number for all channels; profiles U and W compute the same, and U refuses currents that a
/// state i8 or i16 would clip; `unit_bits` and what is provenance are not used.
/// Returns the spikes [T, N, ..., C]. `membranes`, where not null, gets V after reset, in the shape and order
/// of the currents. `threads` is 1..256; one more is started only where it has enough to do.
/// Throws Error(kShape) or Error(kInvalidArgument), with what was expected and received.
SNNCORE_API BitTensor lif_int(const Currents& x, const IntNeuronSpec& spec, size_t threads,
                              int32_t* membranes = nullptr);

/// Runs float32 neurons from zero state over all steps: decay, input_gain, threshold, reset and strict of
/// `spec`. Otherwise as `lif_int`.
SNNCORE_API BitTensor lif(const Currents& x, const NeuronSpec& spec, size_t threads);

}  // namespace snncore
