#include "api/weight_tensors.h"

#include <algorithm>

#include "api/made_tensors.h"
#include "base/checked.h"

namespace snncore {

std::map<std::string, tensor::Tensor> weight_tensors(const std::string& label, const WeightSpec& w,
                                                     size_t inputs, size_t positions, const Shape& stored) {
  const auto outputs = static_cast<size_t>(stored[0]);
  if (w.encoding == "f32") {
    const auto floats = channels_last(w.values, outputs, inputs, positions);
    return {{"weight", store(DType::kF32, stored, floats.data(), floats.size())}};
  }
  require(w.encoding == "odd" || w.encoding == "sym", ErrorCode::kInvalidArgument,
          label + ": encoding must be odd, sym or f32, received '" + w.encoding + "'");
  const auto encoding = w.encoding == "odd" ? tensor::Encoding::kOdd : tensor::Encoding::kSym;
  const auto codes = channels_last(w.codes, outputs, inputs, positions);
  tensor::Tensor weight = tensor::encode_weight(codes.data(), stored, w.bits, encoding, label);
  require(w.scale.size() == 1 || w.scale.size() == outputs, ErrorCode::kShape,
          label + ": expected 1 or " + std::to_string(outputs) + " scales, received " +
              std::to_string(w.scale.size()));
  const bool one = std::ranges::all_of(w.scale, [&](double s) { return s == w.scale[0]; });
  return {{"weight", std::move(weight)},
          {"scale", doubles(std::span(w.scale).first(one ? 1 : w.scale.size()))}};
}

void check_elements(const std::string& label, const WeightSpec& w) {
  int64_t expected = 1;
  for (const int64_t axis : w.shape) {
    require(axis >= 1, ErrorCode::kShape, label + ": weight has an empty axis in " + shape_string(w.shape));
    expected = checked_mul(expected, axis, label);
  }
  const size_t received = w.encoding == "f32" ? w.values.size() : w.codes.size();
  require(static_cast<size_t>(expected) == received, ErrorCode::kShape,
          label + ": weight " + shape_string(w.shape) + " has " + std::to_string(expected) +
              " elements, received " + std::to_string(received));
}

}  // namespace snncore
