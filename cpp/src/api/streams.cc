#include "api/streams.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"

namespace snncore {
namespace {

// The unit of the stream whose neurons say nothing else: integer-lif thresholds count 4096.
constexpr double kDefaultUnit = 1.0 / 4096;

}  // namespace

size_t StreamUnits::add(double unit) {
  same_as_.push_back(same_as_.size());
  units_.push_back(unit);
  return units_.size() - 1;
}

size_t StreamUnits::join(const std::string& layer, size_t a, size_t b) {
  a = root(a);
  b = root(b);
  if (a == b) return a;
  if (units_[b] != 0) demand(layer, a, units_[b]);
  same_as_[b] = a;
  return a;
}

void StreamUnits::settle(size_t stream, double unit) {
  double& known = units_[root(stream)];
  if (known == 0 && std::isfinite(unit) && unit > 0) known = unit;
}

void StreamUnits::demand(const std::string& layer, size_t stream, double unit) {
  require(std::isfinite(unit) && unit > 0, ErrorCode::kInvalidArgument,
          layer + ": unit must be positive and finite, received " + std::to_string(unit));
  settle(stream, unit);
  require(of(stream) == unit, ErrorCode::kInvalidArgument,
          layer + ": streams that are added must have one unit, received " + std::to_string(unit) + " and " +
              std::to_string(of(stream)));
}

double StreamUnits::of(size_t stream) const {
  const double unit = units_[root(stream)];
  return unit == 0 ? kDefaultUnit : unit;
}

size_t StreamUnits::root(size_t stream) const {
  while (same_as_[stream] != stream) stream = same_as_[stream];
  return stream;
}

bool is_pure_stream(const BuiltTerm& term) {
  return term.stream && std::ranges::all_of(term.a, [](double a) { return a == 1; }) &&
         std::ranges::all_of(term.d, [](double d) { return d == 0; });
}

std::vector<float> real_weights(const std::string& layer, const WeightSpec& w) {
  if (w.encoding == "f32") return {w.values.begin(), w.values.end()};
  const auto outputs = static_cast<size_t>(w.shape[0]);
  require(w.encoding == "odd" || w.encoding == "sym", ErrorCode::kInvalidArgument,
          layer + ": encoding must be odd, sym or f32, received '" + w.encoding + "'");
  require(w.scale.size() == 1 || w.scale.size() == outputs, ErrorCode::kShape,
          layer + ": expected 1 or " + std::to_string(outputs) + " scales, received " +
              std::to_string(w.scale.size()));
  const size_t row = w.codes.size() / outputs;
  std::vector<float> real(w.codes.size());
  for (size_t i = 0; i < real.size(); ++i) {
    const int m = w.encoding == "odd" ? 2 * w.codes[i] + 1 : w.codes[i];
    real[i] = static_cast<float>(w.scale[w.scale.size() == 1 ? 0 : i / row] * m);
  }
  return real;
}

}  // namespace snncore
