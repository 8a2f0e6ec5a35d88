#include "kernels/neon/simd.h"
#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/gemm_u8i8_neon.inc"
}  // namespace

void gemm_u8i8_i32(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  if (w.odd) {
    multiply<true>(x, pixels, w, sums);
  } else {
    multiply<false>(x, pixels, w, sums);
  }
}

}  // namespace snncore::kernels::neon32
