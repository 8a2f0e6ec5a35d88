#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {

// In a cycle the input is an edge that is stated and not yet inferred, so its form is checked here.
Edge infer_delay(const NodeView& view) {
  expect_attrs(view, {"steps"});
  expect_roles(view, {});
  expect_inputs(view, 1);
  integer_in(view, "steps", 1, kMaxDelay);
  const Edge& x = *view.inputs[0];
  expect_size(view, x.shape);
  switch (x.type) {
    case EdgeType::kSpike:
      return spike_edge(x.shape);
    case EdgeType::kCount:
      return count_edge(view, x.shape, x.hi, x.divisor);
    case EdgeType::kReal:
      return real_edge(x.shape);
    default:
      refuse_input(view, x, "spikes, counts or f32");
  }
}

}  // namespace snncore::ops
