#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/gemm_f64f64.inc"
}  // namespace

void gemm_f64f64_f64(const ColumnProducts& products) { multiply_columns(products); }

}  // namespace snncore::kernels::neon
