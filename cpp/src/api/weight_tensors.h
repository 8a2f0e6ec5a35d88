// The tensors of a weight as a caller describes it.
#pragma once

#include <map>
#include <span>
#include <string>

#include <snncore/builder.h>

#include "tensor/tensor.h"

namespace snncore {

/// "weight", and "scale" of codes. From [C, inputs, positions] in the caller's order to `stored`, channels
/// last. Throws Error for an encoding or a number of scales that is none.
std::map<std::string, tensor::Tensor> weight_tensors(const std::string& label, const WeightSpec& weight,
                                                     size_t inputs, size_t positions, const Shape& stored);

/// Throws Error unless as many weights came as the shape says.
void check_elements(const std::string& label, const WeightSpec& weight);

}  // namespace snncore
