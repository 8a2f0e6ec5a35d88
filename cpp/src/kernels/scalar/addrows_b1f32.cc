#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void addrows_b1f32_f32(const SpikeTile& spikes, const FloatWeights& w, float* out, std::byte*) {
  const size_t cp = w.channels_padded, rows = w.taps * w.inputs;
  for (size_t p = 0; p < spikes.pixels; ++p, out += cp) {
    for (size_t c = 0; c < cp; ++c) out[c] = 0.0f;
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* row = spikes.rows[spikes.index[p * w.taps + tap]];
      for (size_t i = 0; i < w.inputs; ++i) {
        if ((row[i / 64] >> (i % 64) & 1) == 0) continue;
        for (size_t first = 0; first < cp; first += kChannelPad) {
          const float* values = w.values + row_weight<kFloatBlock>(tap * w.inputs + i, first, rows, cp);
          for (size_t c = 0; c < kChannelPad; ++c) out[first + c] += values[c];
        }
      }
    }
    if (w.bias == nullptr) continue;
    for (size_t c = 0; c < cp; ++c) out[c] += w.bias[c];
  }
}

}  // namespace snncore::kernels::scalar
