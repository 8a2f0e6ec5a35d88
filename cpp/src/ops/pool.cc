#include "base/checked.h"
#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {
namespace {

Window slide_pool(const NodeView& view) {
  expect_attrs(view, {"kernel", "stride", "padding"});
  expect_roles(view, {});
  expect_inputs(view, 1);
  const std::vector<int64_t>& kernel = view.integers("kernel", 2);
  return slide(view, *view.inputs[0], kernel[0], kernel[1], false);
}

Shape pooled(const NodeView& view, const Window& window) {
  const Shape shape{window.out_h, window.out_w, view.inputs[0]->channels()};
  expect_size(view, shape);
  return shape;
}

}  // namespace

Edge infer_maxpool2d(const NodeView& view) {
  const Window window = slide_pool(view);
  const Edge& x = *view.inputs[0];
  if (x.type == EdgeType::kSpike) return spike_edge(pooled(view, window));
  if (x.type != EdgeType::kReal) refuse_input(view, x, "spikes (b1) or f32");
  const std::vector<int64_t>& padding = view.integers("padding", 4);
  for (size_t side = 0; side < 4; ++side) {
    const int64_t kernel = side < 2 ? window.kernel_h : window.kernel_w;
    if (padding[side] < kernel) continue;
    view.fail("padding of real values must be smaller than the kernel, is " + std::to_string(padding[side]) +
              " of " + std::to_string(kernel));
  }
  return real_edge(pooled(view, window));
}

Edge infer_avgpool2d(const NodeView& view) {
  const Window window = slide_pool(view);
  const Edge& x = *view.inputs[0];
  const Shape shape = pooled(view, window);
  if (x.type == EdgeType::kReal) return real_edge(shape);
  if (x.type != EdgeType::kSpike && x.type != EdgeType::kCount) {
    refuse_input(view, x, "spikes, counts or f32");
  }
  const int64_t taps = window.kernel_h * window.kernel_w;
  return count_edge(view, shape, x.hi * taps, checked_mul(x.divisor, taps, view.label() + ": unit"));
}

}  // namespace snncore::ops
