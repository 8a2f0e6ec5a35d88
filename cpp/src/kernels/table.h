// The one table of kernels, filled once for the CPU at hand. Pointers and counts only: nothing here knows a
// Tensor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

/// Output channels are padded to a multiple of this many in every weight, constant and accumulator row.
inline constexpr size_t kChannelPad = 32;
/// Buffers handed to kernels start on this alignment and end with as many readable bytes.
inline constexpr size_t kAlign = 64;

constexpr size_t pad_channels(size_t c) noexcept { return (c + kChannelPad - 1) / kChannelPad * kChannelPad; }

/// Weight codes laid out for event gathering: one row of `channels_padded` int8 codes for each (tap, input
/// channel).
struct RowWeights {
  const int8_t* codes;  // [taps][inputs][channels_padded], kAlign-aligned; padded channels are 0
  size_t inputs;        // rows for each tap; a spike row has ceil(inputs / 64) words, tail bits zero
  size_t taps;
  size_t channels_padded;  // multiple of kChannelPad
  int32_t max_abs;         // the largest |code|, 0..128: bounds how many rows an int8 or int16 lane can take
  bool odd;                // true: the weight is 2 * code + 1; false: the code itself
};

/// Weight codes for dense unsigned bytes: [k4][channels_padded][4], where input 4 * j + i is byte i of group
/// j.
struct ByteWeights {
  const int8_t* codes;  // kAlign-aligned, padded inputs and channels are 0
  size_t k4;            // input bytes / 4, rounded up
  size_t channels_padded;
  const int32_t*
      code_sums;        // [channels_padded] sum of the codes over all inputs (for signed-only dot products)
  const int32_t* init;  // [channels_padded] added to every sum (zero-point correction)
  bool odd;             // true: the weight is 2 * code + 1, so the sum of the inputs is added
};

/// Float rows for event gathering and dense products: [taps * inputs][channels_padded]; padded channels are
/// 0.
struct FloatWeights {
  const float* values;  // kAlign-aligned
  size_t inputs;        // for each tap
  size_t taps;
  size_t channels_padded;
  const float* bias;  // [channels_padded] or null; added last
};

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
  const int32_t*
      theta;  // [channels_padded], profile X: [steps since reset][channels_padded]; padding: INT32_MAX
  const int32_t* psi;  // [channels_padded], or null: reset to zero
  Leak leak;
  int32_t leak_param;
  bool leak_at_store;
  size_t steps, pixels, channels;  // channels: the logical number
  size_t channels_padded;
  void* state;    // null: start from 0, keep nothing; else [pixel][channels_padded] of the state type
  uint64_t* out;  // spikes: row of pixel p at step t starts at out + t * out_t_stride + p * out_stride
  size_t out_stride,
      out_t_stride;        // in words; words past ceil(channels / 64) are not touched, tail bits are zero
  int32_t* record;         // null, or V after reset: [t][pixel][channels_padded], rows record_t_stride apart
  size_t record_t_stride;  // in int32s
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

struct LifFloatTile {
  const float* currents;     // [t][pixel][channels_padded]
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

/// Codes in a block of a Hamming scan.
inline constexpr size_t kCodeBlock = 64;
/// Queries that are scanned together, and the bytes that `prepare_hamming_b1` writes for each byte of theirs.
inline constexpr size_t kHammingTile = 8;
inline constexpr size_t kHammingPrepared = 128;

/// A range of blocks against a tile of queries. A code is `bytes` bytes, and byte j of a block's codes lie
/// beside each other: a vector holds the same byte of many codes, distances stay in lanes and are never
/// summed across.
struct HammingScan {
  const uint8_t* blocks;  // [block_count][bytes][kCodeBlock], kAlign-aligned
  size_t block_count;
  size_t bytes;            // 1..8192
  const void* prepared;    // the queries, by prepare_hamming_b1 of the same table
  size_t query_count;      // 1..kHammingTile
  const uint32_t* limits;  // [query_count]
  size_t hit_stride;       // hits from one query's to the next: at least block_count * kCodeBlock + 1
  size_t probe;            // a hint: after so many bytes, see whether the block can be left; 0: never
};

struct HammingHit {
  uint32_t code;  // counted from the first block
  uint32_t distance;
};

/// Every entry is noexcept in effect, touches only what it is given, and gives the same result on every ISA.
/// `rows` holds pixels * taps pointers, tap innermost, each to ceil(inputs / 64) words (of padding: to
/// zeros).
struct KernelTable {
  const char* isa;

  // sums[p][c] = sum over taps and set bits i of the weight [tap][i][c]; exact in int32; sums rows are
  // channels_padded apart.
  void (*addrows_b1i8_i32)(const uint64_t* const* rows, size_t pixels, const RowWeights& w, int32_t* sums);

  // sums[p][c] = init[c] + sum over k of weight[k][c] * x[p * 4 * k4 + k]; exact in int32. x rows are 4 * k4
  // bytes, zero padded.
  void (*gemm_u8i8_i32)(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums);

  // out[p][c] = the float32 sum of value[tap][i][c] over set bits in ascending (tap, i), from +0, then bias.
  // No contraction.
  void (*addrows_b1f32_f32)(const uint64_t* const* rows, size_t pixels, const FloatWeights& w, float* out);

  // out[p][c] = the float32 sum of x[p][k] * value[k][c] in ascending k, from +0, then bias. x rows are taps
  // * inputs floats.
  void (*gemm_f32f32_f32)(const float* x, size_t pixels, const FloatWeights& w, float* out);

  // The neuron. State types: int8 (clamp -127..127), int16, int32 (64-bit leak products and sums).
  void (*step_lif_i8)(const LifTile& tile);
  void (*step_lif_i16)(const LifTile& tile);
  void (*step_lif_i32)(const LifTile& tile);
  void (*step_lifx_i32)(const LifXTile& tile);
  void (*step_lif_f32)(const LifFloatTile& tile);

  // out[w] = OR over count rows of rows[r][w].
  void (*or_rows_b1)(const uint64_t* const* rows, size_t count, uint64_t* out, size_t words);

  // The number of set bits.
  uint64_t (*popcount_b1)(const uint64_t* words, size_t count);

  // Lays out 1..kHammingTile queries of `bytes` bytes, `stride` apart, for hamming_b1b1_hits of the same
  // table: into kHammingPrepared * bytes bytes at `prepared`, kAlign-aligned.
  void (*prepare_hamming_b1)(const uint8_t* queries, size_t stride, size_t count, size_t bytes,
                             void* prepared);

  // For each query q the codes whose Hamming distance is below limits[q], in ascending order, from
  // hits + q * hit_stride; counts[q] says how many. What lies behind them, in the query's hit_stride, is
  // overwritten.
  void (*hamming_b1b1_hits)(const HammingScan& scan, HammingHit* hits, size_t* counts);
};

/// The table for this CPU, or the level named by the environment variable SNNCORE_ISA; chosen once, on first
/// use. An unknown or unavailable level leaves the scalar table and is reported by `selection_error`.
const KernelTable& kernels() noexcept;

/// Null, or one sentence that says why SNNCORE_ISA could not be honoured. Callers throw it before planning
/// anything.
const char* selection_error() noexcept;

/// The levels built into this library, lowest first: "scalar", then as the target allows.
size_t level_count() noexcept;
const char* level_name(size_t level) noexcept;
bool level_available(size_t level) noexcept;  // this CPU (and its operating system) supports it
bool level_table(
    size_t level,
    KernelTable& table) noexcept;  // fills the table up to and with this level; false if unavailable

}  // namespace snncore::kernels
