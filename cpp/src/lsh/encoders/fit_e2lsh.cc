#include "lsh/encoders/fit_e2lsh.h"

#include <cmath>

#include "base/checked.h"
#include "lsh/random.h"

namespace snncore::lsh {
namespace {

constexpr size_t kQueries = 100, kOthers = 2000, kNeighbour = 10;
constexpr double kWidths = 4;

double distance(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t i = 0; i < dim; ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return std::sqrt(sum);
}

// The mean distance to the tenth nearest other vector.
double neighbour_distance(const Sample& sample) {
  const Sample others = sample.at_most(kOthers), queries = others.at_most(kQueries);
  double sum = 0;
  for (size_t q = 0; q < queries.size(); ++q) {
    std::vector<double> distances;
    for (size_t i = 0; i < others.size(); ++i) {
      if (others.row(i) == queries.row(q)) continue;
      distances.push_back(distance(queries.row(q), others.row(i), sample.dim()));
    }
    if (distances.empty()) return 0;
    const auto nth = distances.begin() + static_cast<ptrdiff_t>(std::min(kNeighbour, distances.size()) - 1);
    std::nth_element(distances.begin(), nth, distances.end());
    sum += *nth;
  }
  return sum / static_cast<double>(queries.size());
}

}  // namespace

std::unique_ptr<E2Lsh> fit_e2lsh(const Sample& sample, size_t bits, const FitOptions& options) {
  const double width = options.width > 0 ? options.width : kWidths * neighbour_distance(sample);
  constexpr double kLeast = 0x1p-120;  // directions are finite
  require(width >= kLeast, ErrorCode::kInvalidArgument, "e2lsh: expected vectors that differ, or a width");
  Random random(options.seed);
  std::vector<float> directions(sample.dim() * bits), offsets(bits);
  for (float& a : directions) a = static_cast<float>(random.normal() / width);
  for (float& b : offsets) b = static_cast<float>(random.uniform());
  return std::make_unique<E2Lsh>(FloatLayer(directions.data(), sample.dim(), bits, offsets.data()),
                                 sample.dim());
}

}  // namespace snncore::lsh
