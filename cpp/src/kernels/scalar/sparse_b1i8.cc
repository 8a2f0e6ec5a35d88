#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void sparse_b1i8_i32(const SpikeRaster& spikes, const SparseWeights& w, int32_t* sums, std::byte*) {
  for (size_t p = 0; p < spikes.pixels; ++p) {
    for (size_t c = 0; c < w.channels_padded; ++c) {
      int32_t sum = 0;
      for (size_t i = w.starts[c] * w.chunk; i < w.starts[c + 1] * w.chunk; ++i) {
        const size_t tap = w.places[i] / w.inputs, input = w.places[i] % w.inputs;
        const uint64_t* row = spikes.rows[spikes.places[p] + spikes.offsets[tap]];
        if ((row[input / 64] >> (input % 64) & 1) != 0) sum += static_cast<int8_t>(w.codes[i]);
      }
      *sums++ = sum;
    }
  }
}

}  // namespace snncore::kernels::scalar
