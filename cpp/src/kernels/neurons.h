// Neurons over a tile of pixels and all time steps; the parametrised one is in kernels/neuron_tile.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

enum class Leak : int32_t { kNone, kQ15, kHalfFloor, kShift, kTz12 };

/// One neuron layer over a tile of pixels, all time steps (docs/format.md, `lif`, `if`).
/// Currents: I = ((sums * m + c) >> n) + extra, in int32 (the caller has proven that nothing overflows).
struct LifTile {
  const int32_t* sums;   // [t][pixel][channels_padded]
  size_t sums_t_stride;  // int32s between steps; 0 when the sums do not change with t
  const int32_t* extra;  // null, or [t][pixel][channels_padded], densely strided
  const int32_t* m;      // [channels_padded]; the rounding half is already in c
  const int32_t* c;
  const int32_t* n;  // 0..30
  bool short_sums;   // sums lie in int16, and m in 0..INT16_MAX: some levels multiply these faster
  const int32_t*
      theta;  // [channels_padded], profile X: [steps since reset][channels_padded]; padding: INT32_MAX
  const int32_t* psi;  // [channels_padded], or null: reset to zero
  Leak leak;
  int32_t leak_param;
  bool leak_at_store;
  size_t steps, pixels, channels;  // channels: the logical number
  size_t channels_padded;
  // step_lif_coded: V is kept as a code of 2, 4 or 8 bits, and comes back as membranes[code + n], where
  // n = 2^(code_bits - 1) - 1. With edges, code = -n + how many of them V reaches; without,
  // code = clamp((V * n + half) >> code_shift, -n, n), half = 2^code_shift / 2.
  size_t code_bits;
  int32_t code_shift;        // 0..12
  const int16_t* membranes;  // 2n + 1 entries, 16 at least; that of code 0 is 0
  const int16_t* edges;      // null, or 2n in ascending order
  // step_lif_states: the code alone is kept, -1..1 in 2 bits, and theta has a row for each:
  // [3][channels_padded]. Without a spike the next code is -1 + how many of its two rows of gamma,
  // [3][2][channels_padded], I reaches.
  const int32_t* gamma;
  void* state;    // null: start from 0, keep nothing; else [pixel][channels_padded] of the state type; codes
                  // lie lowest bits first, in two's complement
  uint64_t* out;  // spikes: row of pixel p at step t starts at out + t * out_t_stride + p * out_stride
  size_t out_stride,
      out_t_stride;        // in words; words past ceil(channels / 64) are not touched, tail bits are zero
  int32_t* record;         // null, or V after reset: [t][pixel][channels_padded], rows record_t_stride apart
  size_t record_t_stride;  // in int32s
};

enum class CurrentType : int32_t { kI8, kI16, kI32 };

/// Rows of lanes of integer currents in somebody's array, every lane a neuron that starts from V = 0. The
/// array is read up to a multiple of kChannelPad lanes of each row; what lies there does not matter.
struct LifRows {
  const void* currents;  // row r of step t starts t * t_stride + r * row_stride elements behind
  CurrentType type;
  size_t t_stride, row_stride;
  size_t steps, rows, lanes;
  uint64_t* out;  // spikes: row r of step t starts at out + t * out_t_stride + r * out_stride
  size_t out_stride, out_t_stride;  // in words; words past ceil(lanes / 64) are not touched, tail bits are 0
  int32_t* record;                  // null, or V after reset: rows row_stride apart, as the currents are
  size_t record_t_stride;           // in int32s
};

/// What such neurons are. Constants are one for each lane, padded to a multiple of kChannelPad, or
/// (`by_row`) one for each row; their type is int16 for run_lif_i16 and int32 for run_lif_i32.
struct LifNeuron {
  const void* theta;
  const void* psi;  // 0 and up, or null: reset to zero
  bool by_row;
  Leak leak;
  int32_t leak_param;
  bool leak_at_store;
  bool clamp_i8;  // run_lif_i16: V is kept in -127..127, the state of step_lif_i8
};

/// Profile X (spec section 3.2): V <- (V >> 1) + (sum << shift); the threshold depends on k, the steps since
/// the last reset.
struct LifXTile {
  const int32_t* sums;
  size_t sums_t_stride;
  int32_t shift;         // F
  const int32_t* theta;  // [F + 1][channels_padded]; padding: INT32_MAX
  size_t steps, pixels, channels, channels_padded;
  int32_t* state;  // null, or V: [pixel][channels_padded]
  uint8_t* age;    // null with state, or k: [pixel][channels_padded]
  uint64_t* out;
  size_t out_stride, out_t_stride;
  int32_t* record;
  size_t record_t_stride;
};

/// A fixed-point neuron with a synaptic current i (docs/format.md, `cuba_lif`):
///   i <- wrap(tz12(i, current_decay) + (I << input_shift));  v <- clamp(tz12(v, decay) + i + bias)
/// spike and v <- 0 where v >= theta. tz12(x, d) = sign(x) * (|x| * d >> 12). Both have 24 bits: i wraps once
/// into -2^23 < i <= 2^23, v is clamped to |v| < 2^23. |I << input_shift| and |bias| are at most 2^23.
struct CubaTile {
  const int32_t* currents;       // I: [t][pixel][channels_padded]
  size_t currents_t_stride;      // int32s between steps; 0 when they do not change with t
  int32_t current_decay, decay;  // 0..4096
  int32_t input_shift;
  const int32_t *theta, *bias;  // [channels_padded]; theta of padding: INT32_MAX
  size_t steps, pixels, channels, channels_padded;
  int32_t* state;  // null, or i, then v: [pixel][2][channels_padded]
  uint64_t* out;
  size_t out_stride, out_t_stride;
  int32_t* record;          // null, or v after reset
  int32_t* record_current;  // null, or i
  size_t record_t_stride;   // of both
};

struct LifFloatTile {
  const float* currents;     // [t][pixel][channels_padded]; without state and record the rows may be of any
                             // length, readable as those of LifRows are
  size_t currents_t_stride;  // floats between steps; 0 when static
  float decay, input_gain, threshold;
  bool subtract, strict;
  size_t steps, pixels, channels, channels_padded;
  float* state;  // null, or [pixel][channels_padded]
  uint64_t* out;
  size_t out_stride, out_t_stride;
  float* record;
  size_t record_t_stride;
};

/// A parallel spiking neuron (docs/format.md, `psn`): h[t] = the float32 sum of weight[t][j] * x[first + j]
/// over j in ascending order, from +0, then the bias; a spike where h >= 0. x is a list of planes,
/// [pixel][channels_padded] floats each; a null one stands for zeros.
struct PsnTile {
  const float* const* planes;
  size_t first_stride;  // planes from the first one of a step to that of the next
  const float* weights;
  size_t weights_stride, taps;  // floats from row to row; floats in a row
  const float* bias;
  size_t bias_stride;
  size_t steps, pixels, channels, channels_padded;
  uint64_t* out;
  size_t out_stride, out_t_stride;
  float* record;  // null, or h
  size_t record_t_stride;
};

}  // namespace snncore::kernels
