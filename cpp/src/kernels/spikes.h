// The spikes that a tile of output pixels reads, as each way to sum wants them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

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

/// Spikes that enter a tile's currents with a weight, as the shortcut of a block does: factor[c] for bit c of
/// the row of pixel p at step t, at rows + t * t_stride + p * stride. Rows have the bits of all padded
/// channels, or end in a word of 64.
struct WeightedSpikes {
  const uint64_t* rows;     // null: there are none
  size_t stride, t_stride;  // in words; t_stride 0: the same at every step
  size_t steps, pixels;
  const int32_t* factor;  // [channels_padded]
};

/// What counting reads of a pixel, and of a channel's weights: the bits of all taps behind each other, those
/// of a tap from a whole byte on, in words of 32.
constexpr size_t tap_bytes(size_t inputs) noexcept { return (inputs + 7) / 8; }
constexpr size_t patch_words(size_t inputs, size_t taps) noexcept {
  return (taps * tap_bytes(inputs) + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}
/// Words of each of the three parts of a patch that prepare_count_b1 makes, 0 where there are too few words
/// to pay for it.
constexpr size_t count_third(size_t words) noexcept {
  constexpr size_t kFewest = 12;
  return words < kFewest ? 0 : words / 3;
}
struct Patches {
  const uint32_t* words;  // [count][BitWeights::words], as prepare_count_b1 leaves them
  size_t count;
};

}  // namespace snncore::kernels
