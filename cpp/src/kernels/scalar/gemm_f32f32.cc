#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void gemm_f32f32_f32(const float* x, size_t pixels, const FloatWeights& w, float* out) {
  const size_t cp = w.channels_padded, inputs = w.taps * w.inputs;
  for (size_t p = 0; p < pixels; ++p, x += inputs, out += cp) {
    for (size_t c = 0; c < cp; ++c) out[c] = 0.0f;
    for (size_t k = 0; k < inputs; ++k) {
      for (size_t first = 0; first < cp; first += kChannelPad) {
        const float* values = w.values + row_weight<kFloatBlock>(k, first, inputs, cp);
        for (size_t c = 0; c < kChannelPad; ++c) out[first + c] += x[k] * values[c];
      }
    }
    if (w.bias == nullptr) continue;
    for (size_t c = 0; c < cp; ++c) out[c] += w.bias[c];
  }
}

}  // namespace snncore::kernels::scalar
