// The forms of a layer's weights, one for each way to sum: rows to gather (row_weights.h), bits to count,
// codes without zeros, tables to look up, tiles and bytes for dense products.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/padding.h"
#include "kernels/row_weights.h"

namespace snncore::kernels {

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
  const int32_t* codes;    // each in all four bytes, which a load broadcasts; zeros end a chunk
  const uint32_t* places;  // beside each code: tap * inputs + input
  const uint32_t* starts;  // [channels_padded + 1], in chunks: those of channel c start at starts[c]
  size_t chunk;            // codes in a chunk
  size_t inputs, taps;
  size_t channels, channels_padded;  // padded ones have no chunks
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
/// Runs of tables, or chunks of codes, whose sums, a byte each, fit int16.
inline constexpr size_t kLaneRuns = 255;
/// Tables of `width` inputs for a word of 64, and for a tap; no table has inputs of two words.
constexpr size_t lut_word_tables(size_t width) noexcept { return (64 + width - 1) / width; }
constexpr size_t lut_tables(size_t inputs, size_t width) noexcept {
  return inputs / 64 * lut_word_tables(width) + (inputs % 64 + width - 1) / width;
}
constexpr size_t lut_block_bytes(size_t inputs, size_t taps, size_t width) noexcept {
  return taps * lut_tables(inputs, width) * kLutChannels * kLutEntries;
}

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

}  // namespace snncore::kernels
