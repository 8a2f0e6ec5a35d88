// The weight tensor of a conv2d or linear node.
#pragma once

#include "ops/op.h"

namespace snncore::ops {

/// The checked weight of rank `rank`: F32, or codes whose storage and values are as docs/format.md says.
const tensor::Tensor& weight_of(const NodeView& view, size_t rank);

/// [C, kh, kw, C_in / groups] or [C, F].
inline const Shape& weight_shape(const tensor::Tensor& weight) {
  return weight.coded() ? weight.logical : weight.shape;
}

/// Checks `scale` and `bias`, and gives the output edge of a layer with this weight and output shape;
/// the range of a sum is left to the graph.
Edge infer_weighted(const NodeView& view, const tensor::Tensor& weight, const Shape& shape);

}  // namespace snncore::ops
