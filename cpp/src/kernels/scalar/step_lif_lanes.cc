// The integer neuron of sums in lanes, as docs/format.md writes it, in int64 throughout.
#include "kernels/scalar/entries.h"
#include "kernels/scalar/lif.h"

namespace snncore::kernels::scalar {
namespace {

int64_t weight(const WeightedSpikes& spikes, size_t t, size_t p, size_t c) {
  if (spikes.rows == nullptr) return 0;
  const uint64_t* row = spikes.rows + t * spikes.t_stride + p * spikes.stride;
  return (row[c / 64] >> (c % 64) & 1) != 0 ? spikes.factor[c] : 0;
}

void step_lanes(const LifTile& tile, const LaneSums& sums, Range store) {
  for (size_t t = 0; t < tile.steps; ++t) {
    for (size_t p = 0; p < tile.pixels; ++p) {
      for (size_t word = 0; word < (tile.channels + 63) / 64; ++word)
        tile.out[t * tile.out_t_stride + p * tile.out_stride + word] = 0;
    }
  }
  for (size_t c = 0; c < tile.channels; ++c) {
    const int64_t psi = tile.psi == nullptr ? -1 : tile.psi[c];
    for (size_t p = 0; p < tile.pixels; ++p) {
      size_t at = c * sums.pitch + sums.places[p];
      uint64_t* to = tile.out + p * tile.out_stride + c / 64;
      int64_t v = 0;
      for (size_t t = 0; t < tile.steps; ++t, at += sums.t_stride, to += tile.out_t_stride) {
        const int64_t sum = sums.wide != nullptr ? sums.wide[at] : sums.narrow[at];
        const int64_t i = ((sum * tile.m[c] + tile.c[c]) >> tile.n[c]) + weight(sums.spikes, t, p, c);
        const bool spike = step(tile, i, tile.theta[c], psi, kInt16, store, v);
        *to |= static_cast<uint64_t>(spike) << (c % 64);
      }
    }
  }
}

}  // namespace

void step_lif_i8_lanes(const LifTile& tile, const LaneSums& sums) { step_lanes(tile, sums, kSymmetric8); }
void step_lif_i16_lanes(const LifTile& tile, const LaneSums& sums) { step_lanes(tile, sums, kInt16); }

}  // namespace snncore::kernels::scalar
