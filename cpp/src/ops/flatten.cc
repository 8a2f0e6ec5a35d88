#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {

Edge infer_flatten(const NodeView& view) {
  expect_attrs(view, {});
  expect_roles(view, {});
  expect_inputs(view, 1);
  const Edge& x = *view.inputs[0];
  if (!x.is_image()) refuse_input(view, x, "an image [H, W, C]");
  if (x.type == EdgeType::kCurrent) refuse_input(view, x, "something else than the current of a neuron");
  const Shape shape{x.pixels() * x.channels()};
  if (x.type == EdgeType::kReal) return real_edge(shape);

  Edge flat = x;
  flat.shape = shape;
  if (x.type == EdgeType::kPixel) {
    for (int64_t p = 1; p < x.pixels(); ++p) {
      flat.zero_point.insert(flat.zero_point.end(), x.zero_point.begin(), x.zero_point.end());
    }
  }
  return flat;
}

}  // namespace snncore::ops
