// What GraphBuilder::neuron needs besides the builder's own.
#pragma once

#include <string>
#include <vector>

#include <snncore/builder.h>

#include "ops/op.h"

namespace snncore {

/// A parameter as files hold it: [1], [C] or the shape of the edge, channels last. `flattened` is [H, W, C]
/// of the image that the vector `x` was, or empty.
std::vector<float> in_file_order(const std::string& label, const std::string& role, const NeuronValue& value,
                                 const ops::Edge& x, const Shape& flattened, Shape* shape);

ops::Attrs rule_attrs(const RuleNeuronSpec& spec);

}  // namespace snncore
