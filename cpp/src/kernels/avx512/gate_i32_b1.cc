#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

inline uint64_t at_least(F64 a, F64 b) {
  return _mm512_cmp_pd_mask(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b), _CMP_GE_OQ);
}

#include "kernels/body/gate_i32_b1.inc"

}  // namespace

void gate_i32_b1(const GateTile& tile) { gate_rows(tile); }

}  // namespace snncore::kernels::avx512
