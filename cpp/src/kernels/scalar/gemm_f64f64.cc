#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void gemm_f64f64_f64(const ColumnProducts& p) {
  for (size_t row = 0; row < p.rows; ++row) {
    const double *a = p.a + row * p.a_stride, *b = p.b + row * p.b_stride;
    for (size_t i = 0; i < p.m; ++i) {
      double* c = p.c + i * p.c_stride;
      for (size_t j = 0; j < p.n; ++j) c[j] += a[i] * b[j];
    }
  }
}

}  // namespace snncore::kernels::scalar
