#include "ops/check.h"
#include "ops/infer.h"
#include "ops/weights.h"

namespace snncore::ops {

Edge infer_conv2d(const NodeView& view) {
  expect_attrs(view, {"stride", "padding", "dilation", "groups"});
  expect_inputs(view, 1);
  const Edge& x = *view.inputs[0];
  const tensor::Tensor& weight = weight_of(view, 4);
  const Shape& shape = weight_shape(weight);
  const Window window = slide(view, x, shape[1], shape[2], true);

  const int64_t groups = integer_in(view, "groups", 1, x.channels());
  if (x.channels() % groups != 0 || shape[0] % groups != 0) {
    view.fail("channels must divide into " + std::to_string(groups) + " groups, has " +
              std::to_string(x.channels()) + " input and " + std::to_string(shape[0]) + " output channels");
  }
  if (shape[3] != x.channels() / groups) {
    view.fail("weight has " + std::to_string(shape[3]) + " input channels" + (groups > 1 ? " a group" : "") +
              ", input has " + std::to_string(x.channels() / groups));
  }
  return infer_weighted(view, weight, {window.out_h, window.out_w, shape[0]});
}

}  // namespace snncore::ops
