#include <algorithm>
#include <cstdlib>

#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::ops {
namespace {

// 2^50 a step leaves 2^13 steps to 64 bits.
constexpr int64_t kMostOfAStep = int64_t{1} << 50;

// The pixels of a stream are summed in 64 bits.
void check_stream(const NodeView& view, const Edge& x) {
  const int64_t most = std::max(std::abs(x.lo), std::abs(x.hi));
  if (most == 0 || x.pixels() <= kMostOfAStep / most) return;
  view.fail("the sum of " + std::to_string(x.pixels()) + " pixels of up to " + std::to_string(most) +
            " may leave 64 bits");
}

}  // namespace

Edge infer_readout(const NodeView& view) {
  expect_attrs(view, {"mode"});
  expect_inputs(view, 1);
  const std::string& mode = view.text("mode");
  if (mode != "sum" && mode != "mean" && mode != "last") {
    view.fail("attribute 'mode' must be sum, mean or last, is '" + mode + "'");
  }

  const Edge& x = *view.inputs[0];
  const bool stream = x.type == EdgeType::kStream;
  if (x.is_image() && !stream) refuse_input(view, x, "a vector [F]");
  if (x.type == EdgeType::kReal) {
    expect_roles(view, {});
    return real_edge(x.shape);
  }
  if (x.type == EdgeType::kPixel || x.type == EdgeType::kCurrent) {
    refuse_input(view, x, "a sum, a stream, spikes, counts or f32");
  }
  if (stream) check_stream(view, x);
  expect_roles(view, {"scale", "bias"});
  const Shape shape = x.is_image() ? Shape{x.channels()} : x.shape;
  const bool one = view.find("scale")->shape == Shape{1};
  expect_finite(view, "scale", view.get("scale", DType::kF64, one ? Shape{1} : shape));
  expect_finite(view, "bias", view.get("bias", DType::kF64, shape));
  return real_edge(shape);
}

}  // namespace snncore::ops
