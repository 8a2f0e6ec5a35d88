#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void requant_i32_i32(const int32_t* const* a, const Requant& q, size_t rows, int32_t* out) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < q.channels_padded; ++c) {
      const size_t at = r * q.channels_padded + c;
      int32_t x = q.c[c];
      for (size_t j = 0; j < q.sums; ++j) x += a[j][at] * q.m[j][c];
      out[at] = x >> q.n[c];
    }
  }
}

}  // namespace snncore::kernels::scalar
