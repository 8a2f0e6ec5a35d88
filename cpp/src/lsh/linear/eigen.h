// Eigenvectors of symmetric matrices.
#pragma once

#include <vector>

#include "lsh/linear/matrix.h"

namespace snncore::lsh {

struct Eigen {
  std::vector<double> values;  // descending
  Matrix vectors;  // a row each, orthonormal; the largest component, the first of equals, is positive
};

/// Householder's reduction to three diagonals, then the QL iteration with implicit shifts, all in one order.
/// `a` is square and symmetric, its values finite.
Eigen symmetric_eigen(Matrix a);

}  // namespace snncore::lsh
