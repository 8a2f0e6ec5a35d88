#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void addrows_b1u16_i32(const uint64_t* rows, size_t count, const CountRows& w, int32_t* out, size_t stride) {
  const size_t words = (w.inputs + 63) / 64;
  for (size_t r = 0; r < count; ++r, rows += words, out += stride) {
    for (size_t l = 0; l < w.lanes; ++l) out[l] = 0;
    for (size_t i = 0; i < w.inputs; ++i) {
      if ((rows[i / 64] >> (i % 64) & 1) == 0) continue;
      for (size_t l = 0; l < w.lanes; ++l) out[l] += w.counts[i * w.pitch + l];
    }
  }
}

}  // namespace snncore::kernels::scalar
