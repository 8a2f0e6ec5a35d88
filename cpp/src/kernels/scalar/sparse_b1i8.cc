#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// Of a channel; `row_of` gives the row that a tap reads.
template <typename RowOf>
int32_t sum_of(const SparseWeights& w, size_t c, const RowOf& row_of) {
  int32_t sum = 0;
  for (size_t i = w.starts[c] * w.chunk; i < w.starts[c + 1] * w.chunk; ++i) {
    const size_t tap = w.places[i] / w.inputs, input = w.places[i] % w.inputs;
    if ((row_of(tap)[input / 64] >> (input % 64) & 1) != 0) sum += static_cast<int8_t>(w.codes[i]);
  }
  return sum;
}

}  // namespace

void sparse_b1i8_i32(const SpikeRaster& spikes, const SparseWeights& w, int32_t* sums, std::byte*) {
  for (size_t p = 0; p < spikes.pixels; ++p) {
    for (size_t c = 0; c < w.channels_padded; ++c) {
      *sums++ = sum_of(w, c, [&](size_t tap) { return spikes.rows[spikes.places[p] + spikes.offsets[tap]]; });
    }
  }
}

void sparse_b1i8_lanes(const SpikeLanes& spikes, const SparseWeights& w, int16_t* lanes, size_t pitch,
                       std::byte*) {
  for (size_t c = 0; c < w.channels; ++c, lanes += pitch) {
    for (size_t i = 0; i < spikes.stretches * spikes.places; ++i) {
      const size_t q = i / spikes.places * spikes.stretch + i % spikes.places;
      lanes[q] = static_cast<int16_t>(
          sum_of(w, c, [&](size_t tap) { return spikes.rows + (q + spikes.offsets[tap]) * spikes.words; }));
    }
  }
}

}  // namespace snncore::kernels::scalar
