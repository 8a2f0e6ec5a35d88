#include "ops/work.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "ops/weights.h"

namespace snncore::ops {
namespace {

double elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), 1.0, std::multiplies<>());
}

}  // namespace

double synaptic_operations(const NodeView& node, const Edge& out) {
  const std::string& op = node.node.op;
  if (op == "conv2d" || op == "linear") {
    return static_cast<double>(out.pixels()) * elements(weight_shape(*node.find("weight")));
  }
  if (op == "map_scores" || op == "map_product") return elements(out.shape) * static_cast<double>(out.hi);
  if (op == "attention") {  // in the cheaper of its two orders
    const Edge& q = *node.inputs[0];
    const int64_t dim = q.channels() / node.integer("heads");
    return 2.0 * elements(q.shape) * static_cast<double>(std::min(q.pixels(), dim));
  }
  if (op == "count") return elements(node.inputs[0]->shape);
  return 0;
}

}  // namespace snncore::ops
