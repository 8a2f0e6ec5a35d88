#include "neurons/cuba_lif.h"

#include <algorithm>

#include "ops/check.h"

namespace snncore::neurons {

ops::Edge infer_cuba_lif(const ops::NodeView& view) {
  constexpr int64_t kHalf24 = int64_t{1} << 23;
  ops::expect_attrs(view, {"current_decay", "decay", "input_shift"});
  ops::expect_roles(view, {"theta", "bias"});
  ops::expect_inputs(view, 1);
  const ops::Edge& x = *view.inputs[0];
  if (x.type != ops::EdgeType::kCurrent) ops::refuse_input(view, x, "a current (from requant)");
  for (const char* key : {"current_decay", "decay"}) ops::integer_in(view, key, 0, 4096);
  const int64_t shift = ops::integer_in(view, "input_shift", 0, 8);
  if (const int64_t reach = std::max(-x.lo, x.hi); reach > kHalf24 >> shift) {
    view.fail("currents may be as large as 2^(23 - input_shift) = " + std::to_string(kHalf24 >> shift) +
              ", '" + view.node.inputs[0] + "' may reach " + std::to_string(reach));
  }
  const Shape channels{x.channels()};
  ops::expect_between(view, "theta", view.get("theta", DType::kI32, channels), 1, kHalf24);
  ops::expect_between(view, "bias", view.get("bias", DType::kI32, channels), -kHalf24, kHalf24);
  return ops::spike_edge(x.shape);
}

}  // namespace snncore::neurons
