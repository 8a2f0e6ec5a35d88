#include <algorithm>
#include <string>

#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {
namespace {

constexpr int64_t kMaxSteps = 4096;

struct Mode {
  const char* name;
  bool joint, scaled;  // joint: weighs past steps by `mix`; scaled: by the counts of K
};
constexpr Mode kModes[] = {{"v1_joint", true, true},
                           {"v2_joint_static", true, false},
                           {"v2_dec_static", false, false},
                           {"v2_dec_dynamic", false, true}};

const Mode& mode_of(const NodeView& view) {
  const std::string& name = view.text("mode");
  const auto* found = std::ranges::find_if(kModes, [&](const Mode& m) { return name == m.name; });
  if (found != std::end(kModes)) return *found;
  view.fail("attribute 'mode' must be v1_joint, v2_joint_static, v2_dec_static or v2_dec_dynamic, is '" +
            name + "'");
}

void check_sums(const NodeView& view, bool scaled) {
  expect_inputs(view, scaled ? 2 : 1);
  const Edge& q = *view.inputs[0];
  for (const Edge* x : view.inputs) {
    if (x->type != EdgeType::kSum || !x->is_image()) refuse_input(view, *x, "an i32 sum [H, W, heads]");
  }
  const Shape one{1, 1, q.channels()};
  if (scaled && view.inputs[1]->shape != one) {
    refuse_input(view, *view.inputs[1], "for kappa an i32 sum " + shape_string(one));
  }
}

void check_lower(const NodeView& view, const tensor::Tensor& mix, int64_t steps) {
  expect_finite(view, "mix", mix);
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t j = t + 1; j < steps; ++j) {
      if (mix.as<double>()[t * steps + j] == 0) continue;
      view.fail("tensor 'mix' must be lower triangular, row " + std::to_string(t) + " weighs step " +
                std::to_string(j));
    }
  }
}

}  // namespace

int64_t saccade_steps(const NodeView& view) {
  const tensor::Tensor* threshold = view.find("threshold");
  if (threshold == nullptr) view.fail("tensor 'threshold' is missing");
  const int64_t steps = threshold->shape.empty() ? 0 : threshold->shape[0];
  if (steps < 1 || steps > kMaxSteps) {
    view.fail("tensor 'threshold' must have 1.." + std::to_string(kMaxSteps) + " steps, has shape " +
              shape_string(threshold->shape));
  }
  return steps;
}

Edge infer_saccade(const NodeView& view) {
  expect_attrs(view, {"mode"});
  const Mode& mode = mode_of(view);
  if (mode.joint) {
    expect_roles(view, {"mix", "threshold"});
  } else {
    expect_roles(view, {"threshold"});
  }
  check_sums(view, mode.scaled);
  const int64_t steps = saccade_steps(view);
  expect_finite(view, "threshold", view.get("threshold", DType::kF64, {steps}));
  if (mode.joint) check_lower(view, view.get("mix", DType::kF64, {steps, steps}), steps);
  return spike_edge(view.inputs[0]->shape);
}

}  // namespace snncore::ops
