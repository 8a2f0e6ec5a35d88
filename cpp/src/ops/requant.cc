#include <algorithm>
#include <limits>

#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {
namespace {

constexpr int64_t kMostSteps = 4096;

/// [C], or [T, C] with a row for each step.
const tensor::Tensor& each_step(const NodeView& view, const std::string& role, int64_t& steps) {
  const int64_t channels = view.inputs[0]->channels();
  const tensor::Tensor* given = view.find(role);
  if (given == nullptr || given->shape.size() != 2) return view.get(role, DType::kI32, {channels});
  const int64_t rows = given->shape[0];
  if (rows > kMostSteps || (steps != 0 && steps != rows)) {
    view.fail("tensor '" + role + "' must have a row for each of " + (steps != 0 ? "" : "at most ") +
              std::to_string(steps != 0 ? steps : kMostSteps) + " steps, has " + std::to_string(rows));
  }
  steps = rows;
  return view.get(role, DType::kI32, {rows, channels});
}

}  // namespace

int64_t factor_steps(const NodeView& view) {
  for (const auto& [role, name] : view.node.tensors) {
    const Shape& shape = view.tensors.at(name).shape;
    if (shape.size() == 2) return shape[0];
  }
  return 0;
}

size_t check_factors(const NodeView& view, bool scales_streams) {
  const Shape channels{view.inputs[0]->channels()};
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  size_t sums = 0, factors = 0;
  int64_t steps = 0;
  for (size_t j = 0; j < view.inputs.size(); ++j) {
    const Edge& x = *view.inputs[j];
    const bool stream = x.type == EdgeType::kStream;
    if (stream && !scales_streams) continue;
    const bool sum = x.type == EdgeType::kSum || stream;
    if (!sum && x.type != EdgeType::kSpike && x.type != EdgeType::kCount) {
      refuse_input(view, x, "a sum, a stream, spikes or counts");
    }
    const std::string role = (sum ? "M." : "K.") + std::to_string(j);
    if (sum) {
      expect_between(view, role, each_step(view, role, steps), 0, kMax);
    } else {
      (void)view.get(role, DType::kI32, channels);
    }
    sums += sum;
    ++factors;
  }
  (void)each_step(view, "C", steps);
  expect_between(view, "n", view.get("n", DType::kI32, channels), 0, 30);
  if (view.node.tensors.size() != factors + 2) {
    view.fail("must have one factor for each input, C and n, has " +
              std::to_string(view.node.tensors.size()) + " tensors");
  }
  return sums;
}

Edge infer_requant(const NodeView& view) {
  expect_attrs(view, {"wide"});
  const bool wide = view.flag("wide");
  expect_alike_inputs(view, 1);
  if (check_factors(view, true) == 0) view.fail("needs at least one input that is a sum or a stream");
  const auto stream = [](const Edge* x) { return x->type == EdgeType::kStream; };
  if (!wide && std::ranges::any_of(view.inputs, stream)) view.fail("reads a stream and must be wide");
  return current_edge(view.inputs[0]->shape, 0, 0);
}

}  // namespace snncore::ops
