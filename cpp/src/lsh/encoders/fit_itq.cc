#include "lsh/encoders/fit_itq.h"

#include <utility>

#include "base/checked.h"
#include "lsh/linear/eigen.h"
#include "lsh/linear/polar.h"
#include "lsh/random.h"

namespace snncore::lsh {
namespace {

constexpr size_t kMostDims = 8192;       // of a covariance matrix
constexpr size_t kRotationRows = 20000;  // enough for a rotation, whose cost they are
constexpr size_t kBlock = 64;            // rows on their way through the caches
constexpr double kVaries = 1e-4;  // of the largest variance: less would leave nothing for a sign to settle
constexpr uint64_t kNextSeed = 0x632be59bd9b4e019;  // of the next rotation

// Calls f(block, rows in it) for the centred sample.
template <typename F>
void for_blocks(const Sample& sample, const std::vector<float>& mean, F&& f) {
  Matrix block(kBlock, sample.dim());
  for (size_t first = 0; first < sample.size(); first += kBlock) {
    const size_t rows = std::min(kBlock, sample.size() - first);
    for (size_t r = 0; r < rows; ++r) {
      const float* from = sample.row(first + r);
      for (size_t i = 0; i < sample.dim(); ++i) block.row(r)[i] = double{from[i]} - double{mean[i]};
    }
    f(std::as_const(block), first, rows);
  }
}

// A row for each component that varies, the strongest first, `most` at most.
Matrix components(const Sample& sample, const std::vector<float>& mean, size_t most) {
  Matrix covariance(sample.dim(), sample.dim());
  for_blocks(sample, mean,
             [&](const Matrix& block, size_t, size_t rows) { add_square(block, rows, covariance); });
  mirror(covariance);
  const Eigen eigen = symmetric_eigen(std::move(covariance));
  size_t count = 0;
  while (count < std::min(most, eigen.values.size()) && eigen.values[count] > kVaries * eigen.values[0])
    ++count;
  require(count > 0, ErrorCode::kInvalidArgument, "itq: expected vectors that differ");
  Matrix strongest(count, sample.dim());
  for (size_t i = 0; i < count; ++i) std::copy_n(eigen.vectors.row(i), sample.dim(), strongest.row(i));
  return strongest;
}

// The centred sample on the components.
Matrix projected(const Sample& sample, const std::vector<float>& mean, const Matrix& components) {
  Matrix out(sample.size(), components.rows());
  const Matrix columns = transposed(components);
  for_blocks(sample, mean, [&](const Matrix& block, size_t first, size_t rows) {
    const Matrix on_components = product(transposed(block), columns);
    for (size_t r = 0; r < rows; ++r) {
      std::copy_n(on_components.row(r), components.rows(), out.row(first + r));
    }
  });
  return out;
}

Matrix random_rotation(Random& random, size_t size) {
  for (;;) {
    Matrix normals(size, size);
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j < size; ++j) normals.row(i)[j] = random.normal();
    }
    if (std::optional<Matrix> rotation = polar(normals)) return std::move(*rotation);
  }
}

// The sum over rows v of vᵀ sign(v R).
Matrix correlation_with_signs(const Matrix& values, const Matrix& rotation) {
  Matrix sum(values.columns(), values.columns()), block(kBlock, values.columns());
  for (size_t first = 0; first < values.rows(); first += kBlock) {
    const size_t rows = std::min(kBlock, values.rows() - first);
    for (size_t r = 0; r < kBlock; ++r) {
      if (r < rows) {
        std::copy_n(values.row(first + r), values.columns(), block.row(r));
      } else {
        std::fill_n(block.row(r), values.columns(), 0.0);
      }
    }
    Matrix turned = product(transposed(block), rotation);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t j = 0; j < turned.columns(); ++j) turned.row(r)[j] = turned.row(r)[j] >= 0 ? 1 : -1;
    }
    add_products(block, turned, rows, sum);
  }
  return sum;
}

// In turn the signs of the turned values, and the rotation that brings the values nearest to these signs.
Matrix settled_rotation(const Matrix& values, Matrix rotation, int iterations) {
  for (int i = 0; i < iterations; ++i) {
    std::optional<Matrix> next = polar(correlation_with_signs(values, rotation));
    if (!next) break;
    rotation = std::move(*next);
  }
  return rotation;
}

Matrix leading_columns(const Matrix& a, size_t count) {
  Matrix out(a.rows(), count);
  for (size_t i = 0; i < a.rows(); ++i) std::copy_n(a.row(i), count, out.row(i));
  return out;
}

}  // namespace

std::unique_ptr<Itq> fit_itq(const Sample& sample, size_t bits, const FitOptions& options) {
  require(sample.dim() <= kMostDims, ErrorCode::kInvalidArgument,
          "itq: expected at most " + std::to_string(kMostDims) + " dimensions, received " +
              std::to_string(sample.dim()));
  const std::vector<float> mean = sample.mean();
  const Matrix axes = components(sample, mean, bits);
  const Matrix values = projected(sample.at_most(kRotationRows), mean, axes);

  std::vector<float> projection(sample.dim() * bits);
  for (size_t first = 0, group = 0; first < bits; ++group) {
    const size_t count = std::min(axes.rows(), bits - first);
    Random random(options.seed + group * kNextSeed);
    const Matrix rotation = settled_rotation(leading_columns(values, count), random_rotation(random, count),
                                             group == 0 ? options.iterations : 0);
    Matrix turned(axes.columns(), count), kept(count, axes.columns());
    for (size_t i = 0; i < count; ++i) std::copy_n(axes.row(i), axes.columns(), kept.row(i));
    add_products(kept, rotation, count, turned);
    for (size_t i = 0; i < turned.rows(); ++i) {
      for (size_t j = 0; j < count; ++j) {
        projection[i * bits + first + j] = static_cast<float>(turned.row(i)[j]);
      }
    }
    first += count;
  }
  return std::make_unique<Itq>(Centre(mean), FloatLayer(projection.data(), sample.dim(), bits));
}

}  // namespace snncore::lsh
