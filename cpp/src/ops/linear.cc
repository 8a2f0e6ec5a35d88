#include "ops/check.h"
#include "ops/infer.h"
#include "ops/weights.h"

namespace snncore::ops {

Edge infer_linear(const NodeView& view) {
  expect_attrs(view, {});
  expect_inputs(view, 1);
  const Edge& x = *view.inputs[0];
  if (x.is_image()) refuse_input(view, x, "a vector [F] (flatten the image first)");
  const tensor::Tensor& weight = weight_of(view, 2);
  const Shape& shape = weight_shape(weight);
  if (shape[1] != x.channels()) {
    view.fail("weight has " + std::to_string(shape[1]) + " inputs, input has " +
              std::to_string(x.channels()));
  }
  return infer_weighted(view, weight, {shape[0]});
}

}  // namespace snncore::ops
