#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/gemm_f64f64.inc"
}  // namespace

void gemm_f64f64_f64(const ColumnProducts& products) { multiply_columns(products); }

}  // namespace snncore::kernels::avx2
