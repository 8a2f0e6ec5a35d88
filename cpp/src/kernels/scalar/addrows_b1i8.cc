#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void addrows_b1i8_i32(const uint64_t* const* rows, size_t pixels, const RowWeights& w, int32_t* sums) {
  const size_t cp = w.channels_padded;
  for (size_t p = 0; p < pixels; ++p, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = 0;
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* spikes = rows[p * w.taps + tap];
      for (size_t i = 0; i < w.inputs; ++i) {
        if ((spikes[i / 64] >> (i % 64) & 1) == 0) continue;
        const int8_t* codes = w.codes + (tap * w.inputs + i) * cp;
        for (size_t c = 0; c < cp; ++c) sums[c] += w.odd ? 2 * codes[c] + 1 : codes[c];
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
