#include "lsh/linear/polar.h"

#include <cmath>

#include "lsh/linear/eigen.h"

namespace snncore::lsh {

std::optional<Matrix> polar(const Matrix& a) {
  constexpr double kLeast = 1e-12;
  const Eigen eigen = symmetric_eigen(product(a, a));
  if (!(eigen.values.back() > kLeast * eigen.values.front())) return std::nullopt;
  Matrix scaled(a.columns(), a.columns());
  for (size_t i = 0; i < a.columns(); ++i) {
    const double factor = 1 / std::sqrt(eigen.values[i]);
    for (size_t j = 0; j < a.columns(); ++j) scaled.row(i)[j] = factor * eigen.vectors.row(i)[j];
  }
  return product(transposed(a), product(scaled, eigen.vectors));
}

}  // namespace snncore::lsh
