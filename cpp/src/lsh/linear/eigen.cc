#include "lsh/linear/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace snncore::lsh {
namespace {

void add_scaled(double factor, const double* x, size_t count, double* y) {
  for (size_t i = 0; i < count; ++i) y[i] += factor * x[i];
}

// The matrix while it becomes three diagonals, Q T Qᵀ. Reflector k is I - v vᵀ, with v in the first k columns
// of row k.
struct Tridiagonal {
  Matrix& a;
  std::vector<double> diagonal, below;  // below[i] is the element (i, i - 1)
};

// Makes row k a reflector of squared length 2 that takes x, what the row held, to (0, ..., 0, below[k]).
bool reflect_row(Tridiagonal& t, size_t k) {
  double* x = t.a.row(k);
  double largest = 0, squares = 0;
  for (size_t i = 0; i < k; ++i) largest = std::max(largest, std::fabs(x[i]));
  if (largest == 0) return t.below[k] = 0, false;
  for (size_t i = 0; i < k; ++i) squares += x[i] / largest * (x[i] / largest);
  const double norm = std::sqrt(squares), last = x[k - 1] / largest;
  t.below[k] = (last > 0 ? -norm : norm) * largest;
  const double scale = 1 / std::sqrt(squares + std::fabs(last) * norm);
  for (size_t i = 0; i < k; ++i) x[i] = x[i] / largest * scale;
  x[k - 1] += (last > 0 ? norm : -norm) * scale;
  return true;
}

// A <- (I - v vᵀ) A (I - v vᵀ) = A - v wᵀ - w vᵀ with w = A v - (vᵀ A v / 2) v, on the leading k rows.
void reflect_both_sides(Matrix& a, size_t k, std::vector<double>& w) {
  const double* v = a.row(k);
  std::fill_n(w.begin(), k, 0.0);
  for (size_t i = 0; i < k; ++i) add_scaled(v[i], a.row(i), k, w.data());
  double half = 0;
  for (size_t i = 0; i < k; ++i) half += v[i] * w[i] / 2;
  add_scaled(-half, v, k, w.data());
  for (size_t i = 0; i < k; ++i) {
    double* row = a.row(i);
    const double vi = v[i], wi = w[i];
    for (size_t j = 0; j < k; ++j) row[j] -= vi * w[j] + wi * v[j];
  }
}

Tridiagonal tridiagonal(Matrix& a) {
  const size_t n = a.rows();
  Tridiagonal t{a, std::vector<double>(n), std::vector<double>(n)};
  std::vector<double> w(n);
  for (size_t k = n - 1; k > 0; --k) {
    t.diagonal[k] = a.row(k)[k];
    if (reflect_row(t, k)) reflect_both_sides(a, k, w);
  }
  t.diagonal[0] = a.row(0)[0];
  return t;
}

// Qᵀ, a row for each column of Q: the reflectors in the order in which they were made come last to first.
Matrix rows_of_q(const Matrix& a) {
  const size_t n = a.rows();
  Matrix q(n, n);
  std::vector<double> w(n);
  for (size_t i = 0; i < n; ++i) q.row(i)[i] = 1;
  for (size_t k = 1; k < n; ++k) {
    const double* v = a.row(k);
    for (size_t i = 0; i < k; ++i) {  // q is the identity from row and column k on
      double along = 0;
      for (size_t j = 0; j < k; ++j) along += q.row(i)[j] * v[j];
      add_scaled(-along, v, k, q.row(i));
    }
  }
  return q;
}

void rotate_rows(double* a, double* b, size_t count, double c, double s) {
  for (size_t i = 0; i < count; ++i) {
    const double x = a[i], y = b[i];
    a[i] = c * x - s * y;
    b[i] = s * x + c * y;
  }
}

// One sweep of QL over rows first..last of three diagonals, towards the eigenvalue at `first`.
void sweep(std::vector<double>& d, std::vector<double>& e, size_t first, size_t last, Matrix& vectors) {
  const double half = (d[first + 1] - d[first]) / (2 * e[first]);
  const double root = std::sqrt(half * half + 1);
  double g = d[last] - d[first] + e[first] / (half + (half < 0 ? -root : root));
  double s = 1, c = 1, p = 0;
  for (size_t i = last; i-- > first;) {
    const double f = s * e[i], b = c * e[i];
    const double r = std::sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r == 0) {  // underflow: the matrix falls in two here
      d[i + 1] -= p;
      e[last] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    const double t = (d[i] - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    rotate_rows(vectors.row(i), vectors.row(i + 1), vectors.columns(), c, s);
  }
  d[first] -= p;
  e[first] = g;
  e[last] = 0;
}

void diagonalise(std::vector<double>& d, std::vector<double>& e, Matrix& vectors) {
  const size_t n = d.size();
  std::rotate(e.begin(), e.begin() + 1, e.end());  // now e[i] is the element (i + 1, i)
  e[n - 1] = 0;
  double norm = 0;
  for (size_t i = 0; i < n; ++i) norm = std::max(norm, std::fabs(d[i]) + std::fabs(e[i]));
  const double tiny = norm * std::numeric_limits<double>::epsilon();
  for (size_t first = 0; first < n;) {
    size_t last = first;
    while (last + 1 < n && std::fabs(e[last]) > tiny) ++last;
    if (last == first) {
      ++first;
    } else {
      sweep(d, e, first, last, vectors);
    }
  }
}

void fix_sign(double* vector, size_t count) {
  const double* largest = vector;
  for (const double* x = vector; x < vector + count; ++x) {
    if (std::fabs(*x) > std::fabs(*largest)) largest = x;
  }
  if (*largest >= 0) return;
  for (size_t i = 0; i < count; ++i) vector[i] = -vector[i];
}

}  // namespace

Eigen symmetric_eigen(Matrix a) {
  const size_t n = a.rows();
  Tridiagonal t = tridiagonal(a);
  Matrix vectors = rows_of_q(a);
  diagonalise(t.diagonal, t.below, vectors);

  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t i, size_t j) { return t.diagonal[i] > t.diagonal[j]; });
  Eigen out{std::vector<double>(n), Matrix(n, n)};
  for (size_t i = 0; i < n; ++i) {
    out.values[i] = t.diagonal[order[i]];
    std::copy_n(vectors.row(order[i]), n, out.vectors.row(i));
    fix_sign(out.vectors.row(i), n);
  }
  return out;
}

}  // namespace snncore::lsh
