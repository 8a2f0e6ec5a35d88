#include "lsh/linear/polar.h"

#include <cmath>

#include "lsh/linear/eigen.h"

namespace snncore::lsh {

namespace {

// One step of Newton and Schulz, r (3 - rᵀ r) / 2: squares how far r is from orthogonal.
Matrix more_orthogonal(const Matrix& r) {
  Matrix factor = product(r, r);
  for (size_t i = 0; i < factor.rows(); ++i) {
    for (size_t j = 0; j < factor.columns(); ++j) factor.row(i)[j] *= -0.5;
    factor.row(i)[i] += 1.5;
  }
  return product(transposed(r), factor);
}

}  // namespace

std::optional<Matrix> polar(const Matrix& a) {
  constexpr double kLeast = 1e-13;
  const Eigen eigen = symmetric_eigen(product(a, a));
  if (!(eigen.values.back() > kLeast * eigen.values.front())) return std::nullopt;
  Matrix scaled(a.columns(), a.columns());
  for (size_t i = 0; i < a.columns(); ++i) {
    const double factor = 1 / std::sqrt(eigen.values[i]);
    for (size_t j = 0; j < a.columns(); ++j) scaled.row(i)[j] = factor * eigen.vectors.row(i)[j];
  }
  // The square of `a` has lost half of the digits of small singular values.
  const Matrix rough = product(transposed(a), product(scaled, eigen.vectors));
  return more_orthogonal(more_orthogonal(rough));
}

}  // namespace snncore::lsh
