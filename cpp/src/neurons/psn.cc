#include "neurons/psn.h"

#include "ops/check.h"

namespace snncore::neurons {

constexpr int64_t kMostSteps = 4096;

bool looks_ahead(const ops::NodeView& psn) { return psn.find("weight")->shape.size() == 2; }

ops::Edge infer_psn(const ops::NodeView& view) {
  ops::expect_attrs(view, {});
  ops::expect_roles(view, {"weight", "bias"});
  ops::expect_inputs(view, 1);
  const ops::Edge& x = *view.inputs[0];
  if (x.type != ops::EdgeType::kReal) ops::refuse_input(view, x, "f32");
  const tensor::Tensor& weight = *view.find("weight");
  const Shape& shape = weight.shape;
  const bool square = shape.size() == 2 && shape[0] == shape[1];
  if (weight.dtype != DType::kF32 || (shape.size() != 1 && !square) || shape[0] < 1 ||
      shape[0] > kMostSteps) {
    view.fail("tensor 'weight' must be F32 [T, T] or [k], of 1 to " + std::to_string(kMostSteps) +
              " steps, is " + shape_string(shape));
  }
  ops::expect_finite(view, "weight", weight);
  ops::expect_finite(view, "bias", view.get("bias", DType::kF32, {square ? shape[0] : 1}));
  return ops::spike_edge(x.shape);
}

}  // namespace snncore::neurons
