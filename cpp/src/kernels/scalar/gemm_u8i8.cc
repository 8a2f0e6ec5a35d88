#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void gemm_u8i8_i32(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  const size_t cp = w.channels_padded;
  for (size_t p = 0; p < pixels; ++p, x += 4 * w.k4, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = w.init[c];
    for (size_t k = 0; k < 4 * w.k4; ++k) {
      const int8_t* codes = w.codes + k / 4 * cp * 4 + k % 4;
      for (size_t c = 0; c < cp; ++c) sums[c] += (w.odd ? 2 * codes[4 * c] + 1 : codes[4 * c]) * x[k];
    }
  }
}

}  // namespace snncore::kernels::scalar
