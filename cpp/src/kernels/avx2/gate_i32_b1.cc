#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {

inline uint64_t at_least(F64 a, F64 b) {
  const __m256d reached =
      _mm256_cmp_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b), _CMP_GE_OQ);
  return static_cast<uint64_t>(_mm256_movemask_pd(reached));
}

#include "kernels/body/gate_i32_b1.inc"

}  // namespace

void gate_i32_b1(const GateTile& tile) { gate_rows(tile); }

}  // namespace snncore::kernels::avx2
