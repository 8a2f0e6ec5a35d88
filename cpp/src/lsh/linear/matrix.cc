#include "lsh/linear/matrix.h"

#include <algorithm>

#include "kernels/table.h"

namespace snncore::lsh {
namespace {

constexpr size_t kRows = 64;    // that are read again from the nearest caches for every tile of the product
constexpr size_t kStrip = 128;  // rows of a product of which a strip left of the diagonal is left out

void add(const Matrix& a, const Matrix& b, size_t first, size_t rows, size_t row, size_t row_count,
         size_t column, Matrix& to) {
  kernels::kernels().gemm_f64f64_f64({.a = a.row(first) + row,
                                      .b = b.row(first) + column,
                                      .a_stride = a.stride(),
                                      .b_stride = b.stride(),
                                      .rows = rows,
                                      .m = row_count,
                                      .n = to.stride() - column,
                                      .c = to.row(row) + column,
                                      .c_stride = to.stride()});
}

}  // namespace

void add_products(const Matrix& a, const Matrix& b, size_t rows, Matrix& to) {
  for (size_t i = 0; i < rows; i += kRows) add(a, b, i, std::min(kRows, rows - i), 0, a.columns(), 0, to);
}

void add_square(const Matrix& a, size_t rows, Matrix& to) {
  for (size_t i = 0; i < rows; i += kRows) {
    for (size_t row = 0; row < a.columns(); row += kStrip) {
      add(a, a, i, std::min(kRows, rows - i), row, std::min(kStrip, a.columns() - row), row, to);
    }
  }
}

void mirror(Matrix& square) {
  for (size_t i = 0; i < square.rows(); ++i) {
    for (size_t j = 0; j < i; ++j) square.row(i)[j] = square.row(j)[i];
  }
}

Matrix transposed(const Matrix& a) {
  Matrix out(a.columns(), a.rows());
  for (size_t i = 0; i < a.rows(); ++i) {
    for (size_t j = 0; j < a.columns(); ++j) out.row(j)[i] = a.row(i)[j];
  }
  return out;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out(a.columns(), b.columns());
  add_products(a, b, a.rows(), out);
  return out;
}

}  // namespace snncore::lsh
