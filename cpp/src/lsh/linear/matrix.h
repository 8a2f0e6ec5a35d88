// Float64 matrices of the fits, and their products in a fixed order.
#pragma once

#include <cstddef>

#include "base/align.h"
#include "kernels/padding.h"

namespace snncore::lsh {

/// Zeros at first. Rows are padded with zeros, as the kernels want them.
class Matrix {
 public:
  Matrix() = default;
  Matrix(size_t rows, size_t columns)
      : rows_(rows), columns_(columns), buffer_(rows * kernels::pad_channels(columns) * sizeof(double)) {}

  [[nodiscard]] size_t rows() const noexcept { return rows_; }
  [[nodiscard]] size_t columns() const noexcept { return columns_; }
  /// Doubles from one row to the next.
  [[nodiscard]] size_t stride() const noexcept { return kernels::pad_channels(columns_); }
  [[nodiscard]] double* row(size_t i) const noexcept { return buffer_.as<double>() + i * stride(); }

 private:
  size_t rows_ = 0, columns_ = 0;
  AlignedBuffer buffer_;
};

/// to += aᵀ b over the first `rows` rows of both, one row after the other.
void add_products(const Matrix& a, const Matrix& b, size_t rows, Matrix& to);

/// to += aᵀ a over the first `rows` rows; only to's upper triangle counts.
void add_square(const Matrix& a, size_t rows, Matrix& to);
/// Copies the upper triangle to the lower one.
void mirror(Matrix& square);

Matrix transposed(const Matrix& a);
/// aᵀ b.
Matrix product(const Matrix& a, const Matrix& b);

}  // namespace snncore::lsh
