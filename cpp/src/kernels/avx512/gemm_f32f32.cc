#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {
#include "kernels/body/gemm_f32f32.inc"
}  // namespace

void gemm_f32f32_f32(const float* x, size_t pixels, const FloatWeights& w, float* out) {
  multiply_floats(x, pixels, w, out);
}

}  // namespace snncore::kernels::avx512
