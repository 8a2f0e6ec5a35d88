// Eigenvectors and polar factors by what defines them.
#include <algorithm>
#include <cmath>

#include "kernels/common.h"
#include "lsh/linear/eigen.h"
#include "lsh/linear/polar.h"

namespace snncore::test {
namespace {

using lsh::Matrix;

Matrix random_matrix(Random& random, size_t rows, size_t columns) {
  Matrix out(rows, columns);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) out.row(i)[j] = random.real();
  }
  return out;
}

double largest_difference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (size_t i = 0; i < a.rows(); ++i) {
    for (size_t j = 0; j < a.columns(); ++j) {
      largest = std::max(largest, std::fabs(a.row(i)[j] - b.row(i)[j]));
    }
  }
  return largest;
}

Matrix identity(size_t size) {
  Matrix out(size, size);
  for (size_t i = 0; i < size; ++i) out.row(i)[i] = 1;
  return out;
}

void check_eigen(const Matrix& a) {
  Matrix copy(a.rows(), a.rows());
  for (size_t i = 0; i < a.rows(); ++i) std::copy_n(a.row(i), a.rows(), copy.row(i));
  const lsh::Eigen eigen = lsh::symmetric_eigen(std::move(copy));
  const Matrix columns = lsh::transposed(eigen.vectors);
  double scale = 1e-300;
  for (const double value : eigen.values) scale = std::max(scale, std::fabs(value));
  Matrix scaled(a.rows(), a.rows());
  for (size_t i = 0; i < a.rows(); ++i) {
    for (size_t j = 0; j < a.rows(); ++j) scaled.row(i)[j] = eigen.values[i] * eigen.vectors.row(i)[j];
  }
  CAPTURE(a.rows());
  CHECK(std::is_sorted(eigen.values.rbegin(), eigen.values.rend()));
  CHECK(largest_difference(lsh::product(columns, columns), identity(a.rows())) < 1e-12);
  CHECK(largest_difference(lsh::product(eigen.vectors, scaled), a) < 1e-12 * scale);
}

TEST_CASE("a symmetric matrix is the sum of its eigenvectors' squares") {
  Random random(1);
  for (const size_t size : {1, 2, 3, 7, 33, 90}) {
    const Matrix a = random_matrix(random, size, size);
    check_eigen(lsh::product(a, a));
    Matrix sum(size, size);
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j < size; ++j) sum.row(i)[j] = (a.row(i)[j] + a.row(j)[i]) * 1e-40;
    }
    check_eigen(sum);
  }
}

TEST_CASE("equal and vanishing eigenvalues have orthonormal vectors too") {
  Random random(2);
  check_eigen(identity(40));
  check_eigen(Matrix(17, 17));
  const Matrix low_rank = random_matrix(random, 5, 60);
  check_eigen(lsh::product(low_rank, low_rank));
}

TEST_CASE("the polar factor is orthogonal, and what is left is symmetric and positive") {
  Random random(3);
  for (const size_t size : {1, 2, 31, 64}) {
    const Matrix a = random_matrix(random, size, size);
    const auto factor = lsh::polar(a);
    REQUIRE(factor.has_value());
    CHECK(largest_difference(lsh::product(*factor, *factor), identity(size)) < 1e-12);
    const Matrix rest = lsh::product(*factor, a);
    CHECK(largest_difference(rest, lsh::transposed(rest)) < 1e-6);
    for (size_t i = 0; i < size; ++i) CHECK(rest.row(i)[i] > 0);
  }
  CHECK(!lsh::polar(Matrix(3, 3)).has_value());
}

}  // namespace
}  // namespace snncore::test
