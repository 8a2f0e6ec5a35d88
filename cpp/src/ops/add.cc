#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {

Edge infer_add(const NodeView& view) {
  expect_attrs(view, {});
  expect_roles(view, {});
  expect_alike_inputs(view, 2);
  const Edge& first = *view.inputs[0];
  bool real = false, one_unit = true;
  int64_t hi = 0;
  for (const Edge* x : view.inputs) {
    const bool integer = x->type == EdgeType::kSpike || x->type == EdgeType::kCount;
    if (!integer && x->type != EdgeType::kReal) refuse_input(view, *x, "spikes, counts or f32");
    real |= !integer;
    one_unit &= x->divisor == first.divisor;
    hi += x->hi;
  }
  if (real) return real_edge(first.shape);
  if (!one_unit) view.fail("counts of different units have no integer sum");
  return count_edge(view, first.shape, hi, first.divisor);
}

Edge infer_couple(const NodeView& view) {
  expect_attrs(view, {});
  expect_roles(view, {});
  expect_inputs(view, 3);
  expect_alike_inputs(view, 3);
  for (const Edge* x : view.inputs) {
    if (x->type != EdgeType::kReal) refuse_input(view, *x, "f32");
  }
  return real_edge(view.inputs[0]->shape);
}

}  // namespace snncore::ops
