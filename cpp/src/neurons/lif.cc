#include "neurons/lif.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::neurons {
namespace {

using ops::EdgeType;
using ops::NodeView;

constexpr int64_t kMax16 = std::numeric_limits<int16_t>::max();
constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();

const std::string& one_of(const NodeView& view, const std::string& key,
                          std::initializer_list<const char*> values) {
  const std::string& value = view.text(key);
  std::string list;
  for (const char* v : values) {
    if (value == v) return value;
    list += std::string(list.empty() ? "" : ", ") + v;
  }
  view.fail("attribute '" + key + "' must be one of " + list + ", is '" + value + "'");
}

void check_leak(const NodeView& view, bool leaky) {
  const std::string& leak = leaky ? one_of(view, "leak", {"none", "q15", "half_floor", "shift", "tz12"})
                                  : one_of(view, "leak", {"none"});
  int64_t lo = 0, hi = 0;
  if (leak == "q15") hi = 32767;
  if (leak == "shift") lo = 1, hi = 15;
  if (leak == "tz12") hi = 4096;
  ops::integer_in(view, "leak_param", lo, hi);
}

/// Codes: what they stand for, and where they begin.
void check_codes(const NodeView& view) {
  const std::string& state = view.text("state");
  if (view.text("profile") != "W") view.fail("state " + state + " as codes needs profile W");
  const int64_t most = state == "i2" ? 1 : state == "i4" ? 7 : 127;
  const tensor::Tensor& load = view.get("load", DType::kI32, {2 * most + 1});
  ops::expect_between(view, "load", load, INT16_MIN, kMax16);
  if (load.as<int32_t>()[most] != 0) view.fail("tensor 'load' must hold 0 for code 0");
  if (view.find("edges") == nullptr) {
    ops::integer_in(view, "unit_bits", 0, 12);
    return;
  }
  const tensor::Tensor& edges = view.get("edges", DType::kI32, {2 * most});
  ops::expect_between(view, "edges", edges, INT16_MIN, kMax16);
  if (!std::is_sorted(edges.as<int32_t>(), edges.as<int32_t>() + 2 * most)) {
    view.fail("tensor 'edges' must be in ascending order");
  }
}

/// Profile T: thresholds of spikes and of codes, for each of the three codes that are kept.
void check_states(const NodeView& view, const Shape& channels) {
  ops::expect_between(view, "theta", view.get("theta", DType::kI32, {3, channels[0]}), -kMax32, kMax32);
  ops::expect_between(view, "gamma", view.get("gamma", DType::kI32, {6, channels[0]}), -kMax32, kMax32);
  if (view.text("reset") != "zero" || view.text("leak") != "none" || view.text("state") != "i2" ||
      view.flag("leak_at_store")) {
    view.fail("profile T needs reset zero, leak none (the tables hold it) and state i2");
  }
}

/// Profile X keeps a table of thresholds, one row for each number of steps since the last reset.
void check_table(const NodeView& view, const Shape& channels, int64_t limit) {
  const int64_t rows = ops::integer_in(view, "unit_bits", 0, 30) + 1;
  const bool narrow = view.text("state") != "i16" && view.text("state") != "i32";
  ops::expect_between(view, "theta", view.get("theta", DType::kI32, {rows, channels[0]}), -limit, limit);
  if (view.text("reset") != "zero" || view.text("leak") != "half_floor" || narrow ||
      view.flag("leak_at_store")) {
    view.fail("profile X needs reset zero, leak half_floor before the input, and state i16 or i32");
  }
}

ops::Edge infer_integer(const NodeView& view, bool leaky) {
  ops::expect_attrs(view, {"arith", "profile", "state", "leak", "leak_param", "reset", "leak_at_store",
                           "unit_bits", "decay", "threshold", "input_gain", "strict"});
  const ops::Edge& x = *view.inputs[0];
  if (x.type != EdgeType::kCurrent) ops::refuse_input(view, x, "a current (from requant)");
  const bool subtract = one_of(view, "reset", {"zero", "subtract"}) == "subtract";
  const std::string& state = one_of(view, "state", {"i2", "i4", "i8", "i16", "i32"});
  const std::string& profile = one_of(view, "profile", {"U", "W", "X", "T"});
  const bool tables = profile == "T";
  const bool coded =
      !tables && (state == "i2" || state == "i4" || (state == "i8" && view.find("load") != nullptr));
  const char *psi = subtract ? "psi" : "theta", *load = coded ? "load" : "theta",
             *edges = tables  ? "gamma"
                      : coded ? "edges"
                              : "theta";
  ops::expect_roles(view, {"theta"}, {psi, load, edges});
  for (const char* key : {"decay", "threshold", "input_gain"}) (void)view.number(key);
  for (const char* key : {"leak_at_store", "strict"}) (void)view.flag(key);
  check_leak(view, leaky);

  const Shape channels{x.channels()};
  const int64_t limit = state == "i32" ? kMax32 : kMax16;
  if (coded) check_codes(view);
  if (profile == "X") {
    check_table(view, channels, limit);
  } else if (tables) {
    check_states(view, channels);
  } else {
    ops::integer_in(view, "unit_bits", profile == "U" ? 0 : -1, 30);
    ops::expect_between(view, "theta", view.get("theta", DType::kI32, channels), -limit, limit);
  }
  if (subtract) ops::expect_between(view, "psi", view.get("psi", DType::kI32, channels), 0, limit);
  return ops::spike_edge(x.shape);
}

ops::Edge infer_float(const NodeView& view) {
  ops::expect_attrs(view, {"arith", "decay", "threshold", "input_gain", "reset", "strict"});
  ops::expect_roles(view, {});
  const ops::Edge& x = *view.inputs[0];
  if (x.type != EdgeType::kReal) ops::refuse_input(view, x, "f32");
  one_of(view, "reset", {"zero", "subtract"});
  (void)view.flag("strict");
  for (const char* key : {"decay", "threshold", "input_gain"}) {
    if (!std::isfinite(static_cast<float>(view.number(key)))) {
      view.fail("attribute '" + std::string(key) + "' must be finite in float32");
    }
  }
  return ops::spike_edge(x.shape);
}

ops::Edge infer(const NodeView& view, bool leaky) {
  ops::expect_inputs(view, 1);
  const bool integer = one_of(view, "arith", {"int", "f32"}) == "int";
  const ops::Edge spikes = integer ? infer_integer(view, leaky) : infer_float(view);
  if (!leaky && view.number("decay") != 1) view.fail("attribute 'decay' must be 1");
  return spikes;
}

}  // namespace

std::vector<const char*> lif_attrs() {
  return {"arith",         "profile",   "state", "leak",      "leak_param", "reset",
          "leak_at_store", "unit_bits", "decay", "threshold", "input_gain", "strict"};
}

ops::Edge infer_lif(const NodeView& view) { return infer(view, true); }
ops::Edge infer_if(const NodeView& view) { return infer(view, false); }

void check_profile(const NodeView& neuron, const NodeView& requant,
                   const std::vector<std::vector<int64_t>>& a_max) {
  const std::string& profile = neuron.text("profile");
  if (profile == "W" || profile == "T") return;
  const bool exact = profile == "X";
  const auto fail = [&](const std::string& message) {
    neuron.fail("profile " + profile + " needs " + message);
  };
  if (ops::factor_steps(requant) != 0) fail("a requant with the same factors at all steps");
  const Shape channels{neuron.inputs[0]->channels()};
  const auto role = [&](const std::string& name) {
    return requant.get(name, DType::kI32, channels).as<int32_t>();
  };
  const std::string from = ", " + requant.label() + " has another";

  const auto sums =
      std::count_if(a_max.begin(), a_max.end(), [](const auto& bounds) { return !bounds.empty(); });
  if (exact && a_max.size() != 1) {
    fail("a requant with one input, " + requant.label() + " has " + std::to_string(a_max.size()));
  }
  const int64_t unit = neuron.integer("unit_bits");
  const bool narrow = neuron.text("state") != "i32";
  const int64_t limit = narrow ? kMax16 : kMax32;
  const int32_t *offset = role("C"), *shift = role("n");
  std::vector<const int32_t*> factors;
  for (size_t j = 0; j < a_max.size(); ++j) {
    factors.push_back(a_max[j].empty() ? nullptr : role("M." + std::to_string(j)));
  }
  for (size_t c = 0; c < static_cast<size_t>(channels[0]); ++c) {
    if (shift[c] != 0) fail("n = 0" + from);
    if (exact && offset[c] != 0) fail("C = 0" + from);
    int64_t most = std::abs(int64_t{offset[c]});
    for (size_t j = 0; j < a_max.size(); ++j) {
      if (factors[j] == nullptr) continue;
      const int64_t factor = factors[j][c];
      if (sums == 1 && factor != int64_t{1} << unit) fail("M = 2^" + std::to_string(unit) + from);
      most += a_max[j][c] * factor * (exact ? 2 : 1);  // X: |V| < 2^(F+1) * A_max
    }
    if (most > limit && (exact || narrow)) {
      neuron.fail("profile " + profile + " with state " + neuron.text("state") + " holds values up to " +
                  std::to_string(limit) + ", channel " + std::to_string(c) + " may reach " +
                  std::to_string(most));
    }
  }
}

}  // namespace snncore::neurons
