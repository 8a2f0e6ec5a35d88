#include "api/streams.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"

namespace snncore {
namespace {

// The unit of the stream whose neurons say nothing else: integer-lif thresholds count 4096.
constexpr double kDefaultUnit = 1.0 / 4096;

// How often such a unit is halved at most: 2^22 to a threshold, of which an int32 holds 512.
constexpr int kFinest = 10;

}  // namespace

size_t StreamUnits::add(double unit) {
  follows_.push_back({.root = follows_.size(), .halved = 0});
  units_.push_back({.value = unit, .asked = unit != 0});
  return units_.size() - 1;
}

StreamUnits::Coupled StreamUnits::couple(const std::string& layer, size_t before, size_t now) {
  if (place(before).root != place(now).root) join(layer, before, now);
  const Place a = place(before), b = place(now);
  const int halved = std::max(a.halved, b.halved) + 1;
  require(halved - std::min(a.halved, b.halved) <= 6, ErrorCode::kUnsupported,
          layer + ": the two streams are too many couplings apart");
  const size_t own = add(0);
  follows_[own] = {.root = a.root, .halved = halved};
  units_[a.root].deepest = std::max(units_[a.root].deepest, halved);
  return {.stream = own,
          .before_times = size_t{1} << (halved - a.halved - 1),
          .now_times = size_t{1} << (halved - b.halved - 1)};
}

size_t StreamUnits::join(const std::string& layer, size_t a, size_t b) {
  const Place to = place(a), from = place(b);
  if (to.root == from.root) {
    require(to.halved == from.halved, ErrorCode::kInvalidArgument,
            layer + ": streams that are added must have one unit, and one of these is coupled of the other");
    return to.root;
  }
  Unit &known = units_[from.root], &root = units_[to.root];
  if (known.value != 0 && root.value != 0) {
    demand(layer, a, of(b));
  } else if (known.value != 0) {
    root.value = std::ldexp(known.value, to.halved - from.halved);
    root.asked = known.asked;
  }
  follows_[from.root] = {.root = to.root, .halved = to.halved - from.halved};
  root.deepest = std::max(root.deepest, known.deepest + to.halved - from.halved);
  return to.root;
}

void StreamUnits::settle(size_t stream, double unit) {
  const Place at = place(stream);
  double& known = units_[at.root].value;
  if (known == 0 && std::isfinite(unit) && unit > 0) known = std::ldexp(unit, at.halved);
}

void StreamUnits::demand(const std::string& layer, size_t stream, double unit) {
  require(std::isfinite(unit) && unit > 0, ErrorCode::kInvalidArgument,
          layer + ": unit must be positive and finite, received " + std::to_string(unit));
  Unit& of_root = units_[place(stream).root];
  if (of_root.value == 0) of_root.asked = true;
  settle(stream, unit);
  require(of(stream) == unit, ErrorCode::kInvalidArgument,
          layer + ": streams that are added must have one unit, received " + std::to_string(unit) + " and " +
              std::to_string(of(stream)));
}

double StreamUnits::of(size_t stream) const {
  const Place at = place(stream);
  const Unit& unit = units_[at.root];
  const int coarser = unit.asked ? 0 : std::max(0, unit.deepest - kFinest);
  return std::ldexp(unit.value == 0 ? kDefaultUnit : unit.value, coarser - at.halved);
}

StreamUnits::Place StreamUnits::place(size_t stream) const {
  Place at{.root = stream, .halved = 0};
  while (follows_[at.root].root != at.root) {
    at.halved += follows_[at.root].halved;
    at.root = follows_[at.root].root;
  }
  return at;
}

bool is_pure_stream(const BuiltTerm& term) {
  return term.stream && term.gain.empty() && std::ranges::all_of(term.a, [](double a) { return a == 1; }) &&
         std::ranges::all_of(term.d, [](double d) { return d == 0; });
}

}  // namespace snncore
