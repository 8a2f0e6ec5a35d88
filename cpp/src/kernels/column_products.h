// Products of float64 matrices, for fits.
#pragma once

#include <cstddef>

namespace snncore::kernels {

/// Two sets of float64 rows, and where the products of their columns go. n is a multiple of kChannelPad.
struct ColumnProducts {
  const double *a, *b;  // [rows][m], [rows][n], so many doubles apart:
  size_t a_stride, b_stride;
  size_t rows, m, n;
  double* c;  // [m][n]
  size_t c_stride;
};

}  // namespace snncore::kernels
