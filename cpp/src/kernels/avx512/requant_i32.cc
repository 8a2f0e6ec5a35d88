#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {
namespace {
#include "kernels/body/requant_i32.inc"
}  // namespace

void requant_i32_i32(const int32_t* const* a, const Requant& q, size_t rows, int32_t* out) {
  requant_rows(a, q, rows, out);
}

}  // namespace snncore::kernels::avx512
