#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {

Edge infer_readout(const NodeView& view) {
  expect_attrs(view, {"mode"});
  expect_inputs(view, 1);
  const std::string& mode = view.text("mode");
  if (mode != "sum" && mode != "mean" && mode != "last") {
    view.fail("attribute 'mode' must be sum, mean or last, is '" + mode + "'");
  }

  const Edge& x = *view.inputs[0];
  if (x.is_image()) refuse_input(view, x, "a vector [F]");
  if (x.type == EdgeType::kReal) {
    expect_roles(view, {});
    return real_edge(x.shape);
  }
  if (x.type == EdgeType::kPixel || x.type == EdgeType::kCurrent) {
    refuse_input(view, x, "a sum, spikes, counts or f32");
  }
  expect_roles(view, {"scale", "bias"});
  const bool one = view.find("scale")->shape == Shape{1};
  expect_finite(view, "scale", view.get("scale", DType::kF64, one ? Shape{1} : x.shape));
  expect_finite(view, "bias", view.get("bias", DType::kF64, x.shape));
  return real_edge(x.shape);
}

}  // namespace snncore::ops
