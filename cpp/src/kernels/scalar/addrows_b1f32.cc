#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void addrows_b1f32_f32(const uint64_t* const* rows, size_t pixels, const FloatWeights& w, float* out) {
  const size_t cp = w.channels_padded;
  for (size_t p = 0; p < pixels; ++p, out += cp) {
    for (size_t c = 0; c < cp; ++c) out[c] = 0.0f;
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* spikes = rows[p * w.taps + tap];
      for (size_t i = 0; i < w.inputs; ++i) {
        if ((spikes[i / 64] >> (i % 64) & 1) == 0) continue;
        const float* values = w.values + (tap * w.inputs + i) * cp;
        for (size_t c = 0; c < cp; ++c) out[c] += values[c];
      }
    }
    if (w.bias == nullptr) continue;
    for (size_t c = 0; c < cp; ++c) out[c] += w.bias[c];
  }
}

}  // namespace snncore::kernels::scalar
