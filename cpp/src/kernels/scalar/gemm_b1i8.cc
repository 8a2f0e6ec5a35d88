#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void gemm_b1i8_i32(const SpikeRaster& spikes, const DenseWeights& w, int32_t* sums, std::byte*) {
  const size_t cp = w.channels_padded;
  for (size_t p = 0; p < spikes.pixels; ++p, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = 0;
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* row = spikes.rows[spikes.places[p] + spikes.offsets[tap]];
      for (size_t i = 0; i < w.inputs; ++i) {
        if ((row[i / 64] >> (i % 64) & 1) == 0) continue;
        for (size_t c = 0; c < cp; ++c) sums[c] += w.weights[dense_weight(tap, i, c, w)];
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
