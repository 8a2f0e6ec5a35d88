#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {

Edge infer_residual(const NodeView& view) {
  expect_attrs(view, {"unit"});
  if (!(view.number("unit") > 0)) {
    view.fail("attribute 'unit' must be positive, is " + std::to_string(view.number("unit")));
  }
  expect_alike_inputs(view, 1);
  (void)check_factors(view, false);
  return stream_edge(view.inputs[0]->shape, 0, 0);
}

}  // namespace snncore::ops
