// The one table of kernels, filled once for the CPU at hand. Pointers and counts only: nothing here knows a
// Tensor. What the entries take, and how large, is in a header for each family.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/column_products.h"
#include "kernels/costs.h"
#include "kernels/hamming.h"
#include "kernels/lanes.h"
#include "kernels/neuron_tile.h"
#include "kernels/neurons.h"
#include "kernels/padding.h"
#include "kernels/requant.h"
#include "kernels/row_weights.h"
#include "kernels/scratch.h"
#include "kernels/spikes.h"
#include "kernels/weights.h"

namespace snncore::kernels {

/// Every entry is noexcept in effect, touches only what it is given, and gives the same result on every ISA.
struct KernelTable {
  const char* isa;

  SumCosts costs;
  size_t lut_width;  // inputs of a table of lut_b1i4_i32: 4 or 6
  bool columns;      // rasters have a block of rows for each column of a window
  bool lanes;        // sums that neurons take in lanes are faster than rows of them

  // sums[p][c] = sum over taps and set bits i of the weight [tap][i][c]; exact in int32; sums rows are
  // channels_padded apart. `scratch`: kAlign-aligned, addrows_scratch bytes.
  void (*addrows_b1i8_i32)(const SpikeTile& spikes, const RowWeights& w, int32_t* sums, std::byte* scratch);

  // Puts words of patches or of weights into the form that count_b1b1_i32 takes, in place and once: of
  // `count` rows, `pitch` words apart, whose thirds are so many words long. What is not in a third stays as
  // it is. A level that counts three words by two popcounts keeps their parity in place of the third.
  void (*prepare_count_b1)(uint32_t* rows, size_t count, size_t pitch, size_t third);

  // The same sums for weights of +1 and -1, by counting: popcount(plus) - popcount(spikes ^ plus). Sums of
  // channels past w.channels are unspecified.
  void (*count_b1b1_i32)(const Patches& patches, const BitWeights& w, int32_t* sums);

  // The same sums as addrows_b1i8_i32, from the weights that are not zero. `scratch`: kAlign-aligned,
  // sparse_scratch bytes.
  void (*sparse_b1i8_i32)(const SpikeRaster& spikes, const SparseWeights& w, int32_t* sums,
                          std::byte* scratch);

  // The same sums, left in lanes, of weights whose channels have at most kLaneRuns chunks: that of channel c
  // at place q goes to lanes[c * pitch + q]. Where `columns` says so, the offsets of taps and what stretches
  // are apart are multiples of kPlaceAlign. The pitch is at least lane_pitch(spikes.end()). `scratch`: as
  // above.
  void (*sparse_b1i8_lanes)(const SpikeLanes& spikes, const SparseWeights& w, int16_t* lanes, size_t pitch,
                            std::byte* scratch);

  // The same sums, looked up. `scratch`: kAlign-aligned, lut_scratch bytes.
  void (*lut_b1i4_i32)(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte* scratch);

  // The same sums, left in lanes as above, of weights whose blocks have at most kLaneRuns runs. Planes of
  // channels past w.channels, up to a multiple of kLutChannels, are written; the pitch is at least
  // lane_pitch(spikes.end()). `scratch`: as above.
  void (*lut_b1i4_lanes)(const SpikeLanes& spikes, const LutWeights& w, int16_t* lanes, size_t pitch,
                         std::byte* scratch);

  // The same sums, by dense products: they cost the same whatever spikes. The offsets of the taps of a run
  // are consecutive. `scratch`: kAlign-aligned, dense_scratch bytes.
  void (*gemm_b1i8_i32)(const SpikeRaster& spikes, const DenseWeights& w, int32_t* sums, std::byte* scratch);

  // sums[p][c] = init[c] + sum over k of weight[k][c] * x[p * 4 * k4 + k]; exact in int32. x rows are 4 * k4
  // bytes, zero padded.
  void (*gemm_u8i8_i32)(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums);

  // lanes[c * pitch + l * line_lanes(x.width) + p] = the sum of place p of line l; exact in int32. The pitch
  // is at least lane_pitch(lines * line_lanes(x.width)).
  void (*lines_u8i8_lanes)(const ByteLines& x, const LineWeights& w, int32_t* lanes, size_t pitch);

  // out[p][c] = the float32 sum of value[tap][i][c] over set bits in ascending (tap, i), from +0, then bias.
  // No contraction. `scratch` as above.
  void (*addrows_b1f32_f32)(const SpikeTile& spikes, const FloatWeights& w, float* out, std::byte* scratch);

  // out[p][c] = the float32 sum of x[p][k] * value[k][c] in ascending k, from +0, then bias. x rows are taps
  // * inputs floats.
  void (*gemm_f32f32_f32)(const float* x, size_t pixels, const FloatWeights& w, float* out);

  // c[i][j] += a[row][i] * b[row][j], one row after the other. No contraction.
  void (*gemm_f64f64_f64)(const ColumnProducts& products);

  // The neuron. State types: int8 (clamp -127..127), int16, int32 (64-bit leak products and sums).
  void (*step_lif_coded)(const LifTile& tile);   // codes of 2 and 4 bits
  void (*step_lif_coded8)(const LifTile& tile);  // of 8 bits; the same on every level
  void (*step_lif_states)(const LifTile& tile);  // no leak, no psi: the tables hold everything
  void (*step_lif_i8)(const LifTile& tile);
  void (*step_lif_i16)(const LifTile& tile);
  void (*step_lif_i32)(const LifTile& tile);
  // The same from sums in lanes, at most kLaneSteps steps; tile.sums, state, record and extra are null.
  void (*step_lif_i8_lanes)(const LifTile& tile, const LaneSums& sums);
  void (*step_lif_i16_lanes)(const LifTile& tile, const LaneSums& sums);
  void (*step_lifx_i32)(const LifXTile& tile);
  void (*step_cuba_i32)(const CubaTile& tile);
  void (*step_lif_f32)(const LifFloatTile& tile);
  // The parametrised float neuron, every operation rounded to float32 in the written order.
  void (*step_neuron_f32)(const NeuronTile& tile);

  void (*step_psn_f32)(const PsnTile& tile);

  // The same neurons straight from an array: I = sat(current), nothing is requantised. State int16 (with
  // clamp_i8 what int8 would hold) and int32.
  void (*run_lif_i16)(const LifRows& rows, const LifNeuron& neuron);
  void (*run_lif_i32)(const LifRows& rows, const LifNeuron& neuron);

  // to[3 * i + c] = planes[c][i], i < count.
  void (*interleave3_u8)(const uint8_t* const (&planes)[3], size_t count, uint8_t* to);

  // out[w] = OR over count rows of rows[r][w].
  void (*or_rows_b1)(const uint64_t* const* rows, size_t count, uint64_t* out, size_t words);

  // to[t][p][c], rows of `channels`, a multiple of kChannelPad, becomes factor[c] where the row of the spikes
  // has bit c, else 0; or, with `add`, that is added.
  void (*add_bits_i32)(const WeightedSpikes& spikes, size_t channels, bool add, int32_t* to);

  // out[r][c] = (sum_j a[j][r][c] * m[j][c] + c[c]) >> n[c], rows of channels_padded.
  void (*requant_i32_i32)(const int32_t* const* a, const Requant& q, size_t rows, int32_t* out);

  // out[r][c] = clamp32((sum_j a[j][r][c] * m[j][c] + c[c]) >> n[c]), in 64 bits, rows of channels_padded;
  // with streams clamp32(that + sum_j a[sums + j][r][c]).
  void (*requant_i64_i32)(const int32_t* const* a, const WideRequant& q, size_t rows, int32_t* out);

  // out[c] = the number of rows whose bit c is set, in `x` and, where it is not null, in the same row of `y`
  // too; rows of `words` words, fewer than 2^31. `channels`: lanes of out, as in add_bits_i32.
  void (*count_columns_b1_i32)(const uint64_t* x, const uint64_t* y, size_t rows, size_t words,
                               size_t channels, int32_t* out);

  // out[r * stride + g] = the number of set bits of group g of row r; from there up to `stride`, a multiple
  // of kGroupPad, zeros.
  void (*count_groups_b1_i32)(const GroupRows& rows, int32_t* out, size_t stride);

  // Bit c of row r of `out` = 0 + weights[c] * sums[r][c] of the terms, added in their order in float64, is
  // at least the threshold; tail bits zero.
  void (*gate_i32_b1)(const GateTile& tile);

  // Bit i is set where from[i] is not 0, so where it is NaN; -0 is 0. Tail bits zero.
  void (*pack_u8_b1)(const uint8_t* from, size_t count, uint64_t* to);
  void (*pack_f32_b1)(const float* from, size_t count, uint64_t* to);

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
  // distances[i] = the number of bits in which `code` and row list[i] of `rows` differ.
  void (*hamming_b1b1_rows)(const uint64_t* code, const uint64_t* rows, size_t words, const uint32_t* list,
                            size_t count, uint32_t* distances);

  // The sums of a[i] * b[i] and of (a[i] - b[i])^2: sixteen partial sums, of i % 16, ascending; then the
  // upper half is added to the lower until one is left.
  float (*dot_f32f32_f32)(const float* a, const float* b, size_t count);
  float (*squares_f32f32_f32)(const float* a, const float* b, size_t count);
  // The same of bytes, up to 65,536.
  int32_t (*dot_i8i8_i32)(const int8_t* a, const int8_t* b, size_t count);
  uint32_t (*squares_i8i8_u32)(const int8_t* a, const int8_t* b, size_t count);

  // `count` rows of `words` words, tail bits zero, become byte planes; what pads the last byte or word is
  // zero. Rows as lanes: 8 * words planes of ceil(count / 64) * 64 lanes. Columns as lanes: ceil(count / 8)
  // planes of 64 * words lanes. Planes are `pitch` apart.
  void (*planes_of_rows_b1)(const uint64_t* rows, size_t words, size_t count, uint8_t* planes, size_t pitch);
  void (*planes_of_columns_b1)(const uint64_t* rows, size_t words, size_t count, uint8_t* planes,
                               size_t pitch);

  // The transpose: out[c], ceil(count / 64) words, holds bit c of all `count` rows, tail bits zero.
  void (*transpose_b1)(const uint64_t* rows, size_t words, size_t count, size_t columns, uint64_t* out);

  // counts[r * pitch + l] = the number of set bits that row r and lane l share, or with `add` += that number;
  // at most 65,535. The pitch is a multiple of kPlaneLanes; lanes past planes.lanes may be written.
  void (*gemm_b1b1_u16)(const ByteRows& rows, const BytePlanes& planes, uint16_t* counts, size_t pitch,
                        bool add);

  // Bit l of out[r * ceil(lanes / 64)...] = row r and lane l share at least `threshold` set bits; tail bits
  // zero.
  void (*gemm_b1b1_b1)(const ByteRows& rows, const BytePlanes& planes, uint32_t threshold, uint64_t* out);

  // out[r * stride + l] = the sum of counts[i][l] over the set bits i of row r; rows of ceil(inputs / 64)
  // words.
  void (*addrows_b1u16_i32)(const uint64_t* rows, size_t count, const CountRows& w, int32_t* out,
                            size_t stride);
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
