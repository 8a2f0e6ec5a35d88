// The one table of kernels, filled once for the CPU at hand. Pointers and counts only: nothing here knows a
// Tensor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/neuron_tile.h"

namespace snncore::kernels {

/// Output channels are padded to a multiple of this many in every weight, constant and accumulator row.
inline constexpr size_t kChannelPad = 32;
/// Buffers handed to kernels start on this alignment and end with as many readable bytes.
inline constexpr size_t kAlign = 64;

constexpr size_t pad_channels(size_t c) noexcept { return (c + kChannelPad - 1) / kChannelPad * kChannelPad; }

/// Weight rows for event gathering lie in blocks of output channels, so that what one tap and one part of its
/// inputs need of a block stays in the first-level cache: [block][row][channels of the block].
inline constexpr size_t kCodeBlock = 128;   // channels of a block of int8 codes; the last may have fewer
inline constexpr size_t kFloatBlock = 64;   // of floats
inline constexpr size_t kPartInputs = 128;  // inputs that a kernel takes at a time

constexpr size_t input_parts(size_t inputs) noexcept { return (inputs + kPartInputs - 1) / kPartInputs; }

/// Where `row` of `rows` keeps its weight of a channel.
template <size_t kBlock>
constexpr size_t row_weight(size_t row, size_t channel, size_t rows, size_t channels_padded) noexcept {
  const size_t first = channel / kBlock * kBlock;
  const size_t width = channels_padded - first < kBlock ? channels_padded - first : kBlock;
  return first * rows + row * width + (channel - first);
}

/// Rows of codes come in parts: kPartInputs inputs of one tap, or several whole taps where one has few
/// inputs. A row of zeros stands behind each part, so that lists of rows can be filled up.
struct CodePart {
  size_t tap, taps;   // the first tap, and how many
  size_t input_part;  // of a single tap
  size_t rows;        // without the row of zeros
};

/// Rows of several taps: no more than a byte can number and than a first-level cache holds of a block.
inline constexpr size_t kPartRows = 240, kPartBytes = 24 * 1024;

/// What a layer's weights are made of, as far as their parts depend on it. Always inlined: an ISA object that
/// kept a copy of its own could be the one that the linker takes for all.
struct CodeParts {
  size_t inputs, taps, channels_padded;

  /// Taps that are joined; 1: a part has one tap at most.
  [[nodiscard, gnu::always_inline]] constexpr size_t joined() const noexcept {
    const size_t width = channels_padded < kCodeBlock ? channels_padded : kCodeBlock;
    const size_t fit = kPartBytes / (width > 0 ? width : 1), rows = fit < kPartRows ? fit : kPartRows;
    return inputs == 0 || inputs > rows / 2 ? 1 : rows / inputs;
  }
  [[nodiscard, gnu::always_inline]] constexpr size_t count() const noexcept {
    return joined() == 1 ? taps * input_parts(inputs) : (taps + joined() - 1) / joined();
  }
  [[nodiscard, gnu::always_inline]] constexpr CodePart at(size_t i) const noexcept {
    if (joined() == 1) {
      const size_t part = i % input_parts(inputs), left = inputs - part * kPartInputs;
      return {i / input_parts(inputs), 1, part, left < kPartInputs ? left : kPartInputs};
    }
    const size_t tap = i * joined(), left = taps - tap, count = left < joined() ? left : joined();
    return {tap, count, 0, count * inputs};
  }
  /// Where the row of an input of a tap is, and how many rows there are, those of zeros counted.
  [[nodiscard, gnu::always_inline]] constexpr size_t row(size_t tap, size_t input) const noexcept {
    const size_t part = joined() == 1 ? tap * input_parts(inputs) + input / kPartInputs : tap / joined();
    return tap * inputs + input + part;
  }
  [[nodiscard, gnu::always_inline]] constexpr size_t rows() const noexcept { return taps * inputs + count(); }
};

/// Weight codes for event gathering, at row_weight<kCodeBlock>(CodeParts::row(...), ...).
struct RowWeights {
  const int8_t* codes;  // kAlign-aligned; padded channels are 0
  /// [block][tap][part of the inputs]: the most that a sum of codes of any of those inputs can be, either
  /// way.
  const uint16_t* bounds;
  size_t inputs;  // rows for each tap; a spike row has ceil(inputs / 64) words, tail bits zero
  size_t taps;
  size_t channels_padded;  // multiple of kChannelPad
  int32_t max_abs;         // the largest |code|, 0..128: bounds how many rows an int8 lane can take
  bool odd;                // true: the weight is 2 * code + 1; false: the code itself

  [[nodiscard, gnu::always_inline]] constexpr CodeParts parts() const noexcept {
    return {inputs, taps, channels_padded};
  }
};

/// What counting reads of a pixel, and of a channel's weights: the bits of all taps behind each other, those
/// of a tap from a whole byte on, in words of 32.
constexpr size_t tap_bytes(size_t inputs) noexcept { return (inputs + 7) / 8; }
constexpr size_t patch_words(size_t inputs, size_t taps) noexcept {
  return (taps * tap_bytes(inputs) + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}
struct Patches {
  const uint32_t* words;  // [count][BitWeights::words], as prepare_count_b1 leaves them
  size_t count;
};

/// Binary weights for counting. A bit is set where the weight is +1; the others are -1. Bits of absent inputs
/// and channels are 0. Words are as prepare_count_b1 leaves them.
struct BitWeights {
  const uint32_t* bits;  // [channels_padded / kChannelPad][words][kChannelPad], kAlign-aligned
  const int32_t* ones;   // [channels_padded] set bits of a channel
  size_t words, channels, channels_padded;
};

/// Weight codes of a pruned layer: what is not zero, channel after channel, in chunks of equal length whose
/// codes add up to -128..127 whichever of their inputs fire (kernels/sparse_codes.h makes them).
struct SparseWeights {
  const int8_t* codes;     // a chunk that is not full ends with zeros
  const uint32_t* places;  // beside each code: tap * inputs + input
  const uint32_t* starts;  // [channels_padded + 1], in chunks: those of channel c start at starts[c]
  size_t chunk;            // codes in a chunk
  size_t inputs, taps;
  size_t channels_padded;  // multiple of kChannelPad
};

/// Weights of few bits for looking up: for some neighbouring inputs of a tap, the sums that their spikes can
/// give. They are the weights themselves, whatever the encoding; the sums of a table fit a byte
/// (kernels/lut_codes.h makes them).
struct LutWeights {
  const int8_t* tables;  // [block][tap][table][kLutChannels][kLutEntries], on 16 bytes. Of four inputs: entry
                         // s is the sum over set bits i of s. Of six: the eight sums of the first three, then
                         // those of the others
  const uint16_t* runs;  // of each block: how many tables of a channel can meet in a byte, one after another
  const uint32_t* starts;  // [blocks + 1]: the runs of a block start at its
  size_t inputs, taps;
  size_t width;  // inputs of a table: KernelTable::lut_width
  size_t channels, channels_padded;
};

/// A block of tables is kLutChannels channels.
inline constexpr size_t kLutChannels = 4, kLutEntries = 16;
/// Runs of tables whose sums, a byte each, fit int16.
inline constexpr size_t kLaneRuns = 255;
/// Tables of `width` inputs for a word of 64, and for a tap; no table has inputs of two words.
constexpr size_t lut_word_tables(size_t width) noexcept { return (64 + width - 1) / width; }
constexpr size_t lut_tables(size_t inputs, size_t width) noexcept {
  return inputs / 64 * lut_word_tables(width) + (inputs % 64 + width - 1) / width;
}
constexpr size_t lut_block_bytes(size_t inputs, size_t taps, size_t width) noexcept {
  return taps * lut_tables(inputs, width) * kLutChannels * kLutEntries;
}

/// Sums that stay in the lanes of kernels whose lanes are pixels: that of channel c and pixel p at step t is
/// at [c * pitch + t * t_stride + places[p]]. Lanes of no pixel hold anything; kLaneTail lanes behind the
/// last are readable.
struct LaneSums {
  const int32_t* wide;     // null: they are narrow
  const int16_t* narrow;   // factors of the neuron are then at most INT16_MAX
  size_t pitch, t_stride;  // t_stride 0: the sums do not change with t
  const uint32_t* places;  // [pixels], ascending
};
inline constexpr size_t kLaneTail = 64, kLaneSteps = 32;
/// Lanes of a channel that kernels want for so many places.
constexpr size_t lane_pitch(size_t places) noexcept {
  return (places + kLaneTail - 1) / kLaneTail * kLaneTail + kLaneTail;
}

/// Lines of bytes that a window slides along: place x of line l reads, for each row r of the window, the
/// groups of four bytes from bytes[l * line_stride + r * row_stride + x * place_bytes] on.
struct ByteLines {
  const uint8_t* bytes;  // kLineTail bytes behind the last line are readable
  size_t lines, width;   // of places
  size_t line_stride, row_stride;
  size_t place_bytes;  // 1..kLineBytes
};
inline constexpr size_t kLineBytes = 4, kLineTail = 256;
/// Lanes of a line of places: those of the next start behind them.
constexpr size_t line_lanes(size_t width) noexcept { return (width + 15) / 16 * 16; }

/// Weights for them: [channel][row of the window][group][4], rows filled up with zeros.
struct LineWeights {
  const int8_t* codes;
  const int32_t* init;  // [channels], added to every sum
  size_t rows, groups;  // rows * groups is at most kLineGroups
  size_t channels;
};
inline constexpr size_t kLineGroups = 32;

/// Weights for dense products with spikes made bytes, in tiles of kDenseInputs inputs and kDenseChannels
/// channels, whose rows hold four inputs of every channel. Taps whose rows lie side by side in a raster are a
/// run, and its inputs one stretch of bytes, padded at the end.
struct DenseWeights {
  const int8_t* weights;  // at dense_weight(...), kAlign-aligned; padding is 0
  size_t inputs, taps;
  size_t run_taps;         // divides taps
  size_t channels_padded;  // multiple of kChannelPad
};

inline constexpr size_t kDenseInputs = 64, kDenseChannels = 16, kDensePixels = 16;
inline constexpr size_t kDenseTile = kDenseInputs * kDenseChannels;  // bytes

/// Tiles that a run takes, one after another.
constexpr size_t dense_steps(size_t inputs, size_t run_taps) noexcept {
  return (run_taps * inputs + kDenseInputs - 1) / kDenseInputs;
}
/// Bytes of all weights.
constexpr size_t dense_bytes(size_t inputs, size_t taps, size_t run_taps, size_t channels_padded) noexcept {
  return channels_padded / kDenseChannels * (taps / run_taps) * dense_steps(inputs, run_taps) * kDenseTile;
}
/// Where a weight lies: [kChannelPad channels][run][step][kDenseChannels channels][four inputs][channel][4].
constexpr size_t dense_weight(size_t tap, size_t input, size_t channel, const DenseWeights& w) noexcept {
  const size_t byte = tap % w.run_taps * w.inputs + input, runs = w.taps / w.run_taps;
  const size_t step = (channel / kChannelPad * runs + tap / w.run_taps) * dense_steps(w.inputs, w.run_taps) +
                      byte / kDenseInputs;
  const size_t tile = step * (kChannelPad / kDenseChannels) + channel % kChannelPad / kDenseChannels;
  return tile * kDenseTile + byte % kDenseInputs / 4 * 4 * kDenseChannels + channel % kDenseChannels * 4 +
         byte % 4;
}

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

/// Float rows for event gathering and dense products, at row_weight<kFloatBlock>(tap * inputs + input, ...);
/// padded channels are 0.
struct FloatWeights {
  const float* values;  // kAlign-aligned
  size_t inputs;        // for each tap
  size_t taps;
  size_t channels_padded;
  const float* bias;  // [channels_padded] or null; added last
};

/// Two sets of float64 rows, and where the products of their columns go. n is a multiple of kChannelPad.
struct ColumnProducts {
  const double *a, *b;  // [rows][m], [rows][n], so many doubles apart:
  size_t a_stride, b_stride;
  size_t rows, m, n;
  double* c;  // [m][n]
  size_t c_stride;
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

/// Lanes of byte planes are padded to a multiple of this many: one word of bits.
inline constexpr size_t kPlaneLanes = 64;

/// A bit matrix turned for kernels whose lanes are its rows or its columns: byte b of lane l is at
/// bytes[b * pitch + l] and holds the lane's elements 8 * b .. 8 * b + 7, lowest bit first.
struct BytePlanes {
  const uint8_t* bytes;
  size_t pitch;  // multiple of kPlaneLanes
  size_t count;  // planes: elements of a lane / 8, rounded up
  size_t lanes;  // <= pitch; those past it, up to a multiple of kPlaneLanes, are readable
};

/// Bit rows read byte by byte, in either direction: byte b of row r is at
/// bytes[r * row_stride + b * byte_stride].
struct ByteRows {
  const uint8_t* bytes;
  size_t row_stride, byte_stride;
  size_t rows;
};

/// Rows of counts to be added where a bit is set.
struct CountRows {
  const uint16_t* counts;  // [inputs][pitch], kAlign-aligned
  size_t inputs;
  size_t pitch;        // multiple of kPlaneLanes; lanes past `lanes` are readable
  size_t lanes;        // 1 or more
  uint32_t max_count;  // no count is larger; inputs * max_count <= INT32_MAX
};

inline constexpr size_t kGroupPad = 8;

/// Packed rows whose bits are groups of `dim`, one behind the other.
struct GroupRows {
  const uint64_t* x;  // [count][words]
  const uint64_t* y;  // null, or rows that have to have a bit, too
  size_t count, words;
  size_t groups, dim;  // groups * dim bits, in `words` words
};

/// Rows that are weighed and added up, then compared with a threshold.
struct GateTerm {
  const int32_t* sums;    // [rows], `stride` apart
  size_t stride;          // elements
  const double* weights;  // [channels]
};
struct GateTile {
  const GateTerm* terms;
  size_t count;
  double threshold;
  size_t rows, channels;
  uint64_t* out;  // [rows][ceil(channels / 64)]
};

/// The spikes that a tile of output pixels reads, each row once.
struct SpikeTile {
  const uint64_t* const* rows;  // [row_count], each ceil(inputs / 64) words, tail bits zero
  size_t row_count;
  const uint32_t* index;  // [pixels][taps]: the row that a tap of a pixel reads
  size_t pixels;
};

/// The same spikes with neighbours side by side: tap k of pixel p reads rows[places[p] + offsets[k]], so that
/// a vector of rows serves a vector of pixels. Where KernelTable::columns says so, offsets are multiples of
/// kPlaceAlign.
inline constexpr size_t kPlaceAlign = 8;
struct SpikeRaster {
  const uint64_t* const* rows;  // [row_count], as above; a row may be there several times
  size_t row_count;
  const uint32_t* places;   // [pixels], ascending
  const uint32_t* offsets;  // [taps]
  size_t pixels;
};

/// Spikes for sums that stay in lanes: tap k of place q reads row q + offsets[k]. Sums are wanted of the
/// places 0 .. places - 1 and, `stretch` behind each other, of as many again.
struct SpikeLanes {
  const uint64_t* rows;  // [row_count][words], tail bits zero
  size_t row_count, words;
  const uint32_t* offsets;  // [taps]
  size_t places, stretches, stretch;

  [[nodiscard]] size_t end() const { return (stretches - 1) * stretch + places; }  // of all places
};

/// Scratch that the sparse kernel takes: a byte for every input of every row, sums of a few channels.
constexpr size_t kSparseChannels = 16, kSparseLanes = 256;  // 4 KB to 16 KB are used, by width of vectors
constexpr size_t sparse_pitch(size_t row_count) noexcept {  // an odd number of cache lines
  return ((row_count + kAlign - 1) / kAlign | 1) * kAlign;
}
constexpr size_t sparse_scratch(size_t row_count, size_t inputs, size_t taps) noexcept {
  return kSparseChannels * kSparseLanes * sizeof(int32_t) + inputs * sparse_pitch(row_count) + kAlign +
         taps * inputs * sizeof(uint32_t);
}

/// Scratch that the look-up kernel takes: a byte for every table's inputs of every row, sums of a few
/// channels. Enough for tables of four inputs and more.
constexpr size_t lut_scratch(size_t row_count, size_t inputs, size_t taps) noexcept {
  const size_t tables = lut_tables(inputs, 4);
  return kSparseChannels * kSparseLanes * sizeof(int32_t) + tables * sparse_pitch(row_count) + kAlign +
         taps * tables * sizeof(uint32_t);
}

/// Scratch that the dense kernel takes: a byte for every input of every row, with what a tile reads behind
/// the last, where the tiles of pixels start, and sums of one tile.
constexpr size_t dense_image(size_t row_count, size_t inputs) noexcept {
  return ((row_count + kDensePixels) * inputs + 2 * kDenseInputs + kAlign - 1) / kAlign * kAlign;
}
constexpr size_t dense_scratch(size_t row_count, size_t inputs, size_t pixels) noexcept {
  return dense_image(row_count, inputs) + kDensePixels * kChannelPad * sizeof(int32_t) +
         (pixels + 1) * sizeof(uint32_t);
}

/// Scratch that the addrows kernels take: a list of spikes for every row and part, sums of a block, an order
/// of the pixels.
inline constexpr size_t kListBytes = kPartInputs + 16;
constexpr size_t addrows_scratch(size_t row_count, size_t inputs, size_t pixels) noexcept {
  return row_count * (input_parts(inputs) * kListBytes + sizeof(uint32_t)) +
         pixels * (kCodeBlock * sizeof(int16_t) + sizeof(uint32_t)) + 2 * kAlign;
}

/// What the ways to sum spikes cost, in ns, measured by `bench_kernels --costs`; runtime/sum_methods.cc adds
/// them up for a tile. A block is 32 channels.
struct SumCosts {
  // Kernels whose lanes are channels: for a tap of a pixel that finds its row.
  float tap;
  // addrows_b1i8_i32: for a pixel and part of rows (CodeParts), the same for each block, and for each spike
  // and block; the last again where codes are too large to meet in bytes.
  float gather_part, gather_part_block, gather_spike_block, gather_wide_block;
  // count_b1b1_i32: for a pixel, 32 bits of its patch and a block.
  float count_word_block;
  // Kernels whose lanes are pixels: the lanes of a vector, and for a byte of a row that goes to its lane.
  float lanes, spread;
  // sparse_b1i8_i32: for a sum that goes from its lane to its row, for a code and vector, and what this is
  // more where the spikes come from the second-level cache. A chunk takes kChunkCodes codes more.
  float sparse_put, sparse_code, sparse_code_far;
  // lut_b1i4_i32: for a sum, and for a table and vector. A run takes kRunLooks tables more.
  float lut_put, lut_look;
  // gemm_b1i8_i32: for 64 inputs of a row that become bytes, for a product of a tile of pixels and one of
  // weights, and for a tile of weights that comes from beyond the second-level cache. A level that has no
  // such products has zeros here.
  float dense_spread, dense_tile, dense_far;
};
inline constexpr double kChunkCodes = 1, kRunLooks = 3;

/// Rows of codes that a byte can take.
constexpr size_t rows_in_byte(int32_t max_abs) noexcept {
  return 127 / static_cast<size_t>(max_abs > 0 ? max_abs : 1);
}

/// Codes in a block of a Hamming scan.
inline constexpr size_t kHammingBlock = 64;
/// Queries that are scanned together, and the bytes that `prepare_hamming_b1` writes for each byte of theirs.
inline constexpr size_t kHammingTile = 8;
inline constexpr size_t kHammingPrepared = 128;

/// A range of blocks against a tile of queries. A code is `bytes` bytes, and byte j of a block's codes lie
/// beside each other: a vector holds the same byte of many codes, distances stay in lanes and are never
/// summed across.
struct HammingScan {
  const uint8_t* blocks;  // [block_count][bytes][kHammingBlock], kAlign-aligned
  size_t block_count;
  size_t bytes;            // 1..8192
  const void* prepared;    // the queries, by prepare_hamming_b1 of the same table
  size_t query_count;      // 1..kHammingTile
  const uint32_t* limits;  // [query_count]
  size_t hit_stride;       // hits from one query's to the next: at least block_count * kHammingBlock + 1
  size_t probe;            // a hint: after so many bytes, see whether the block can be left; 0: never
};

struct HammingHit {
  uint32_t code;  // counted from the first block
  uint32_t distance;
};

/// Sums of several layers, made one current: a factor for each sum and channel, at least 0; c with the half
/// that rounds; n 0..30; |c| and the magnitudes of all products together below 2^31.
struct Requant {
  size_t sums;
  const int32_t* const* m;  // [sums][channels_padded]
  const int32_t* c;
  const int32_t* n;
  size_t channels_padded;  // multiple of kChannelPad
};

/// The same in 64 bits: the sum below 2^63 in magnitude. Streams are added as they are.
struct WideRequant {
  size_t sums, streams;
  const int32_t* const* m;  // [sums][channels_padded]
  const int64_t* c;
  const int64_t* n;
  size_t channels_padded;  // multiple of kChannelPad
};

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

  // The same sums, looked up. `scratch`: kAlign-aligned, lut_scratch bytes.
  void (*lut_b1i4_i32)(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte* scratch);

  // The same sums, left in lanes, of weights whose blocks have at most kLaneRuns runs: that of channel c at
  // place q goes to lanes[c * pitch + q]. Planes of channels past w.channels, up to a multiple of
  // kLutChannels, are written; the pitch is at least lane_pitch(spikes.end()). `scratch`: as above.
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

  // to[c] += factor[c] for the set bits c of `row`, of `channels` (a multiple of kChannelPad; `row` has the
  // bits of as many, or ends in a word of 64).
  void (*add_bits_i32)(const uint64_t* row, size_t channels, const int32_t* factor, int32_t* to);

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
