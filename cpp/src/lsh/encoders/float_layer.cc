#include "lsh/encoders/float_layer.h"

#include <algorithm>

#include "kernels/table.h"

namespace snncore::lsh {

FloatLayer::FloatLayer(const float* weights, size_t inputs, size_t outputs, const float* bias)
    : inputs_(inputs), outputs_(outputs), packed_(inputs * outputs * sizeof(float)) {
  for (size_t i = 0; i < inputs; ++i) {
    for (size_t o = 0; o < outputs; ++o) packed_.as<float>()[place(i, o)] = weights[i * outputs + o];
  }
  if (bias == nullptr) return;
  bias_ = AlignedBuffer(outputs * sizeof(float));
  std::copy_n(bias, outputs, bias_.as<float>());
}

FloatLayer FloatLayer::read(Stored& stored, const char* weights, size_t inputs, size_t outputs,
                            const char* bias) {
  const auto rows = static_cast<int64_t>(inputs), columns = static_cast<int64_t>(outputs);
  const tensor::Tensor w = stored.take(weights, DType::kF32, {rows, columns});
  if (bias == nullptr) return FloatLayer(w.as<float>(), inputs, outputs);
  const tensor::Tensor b = stored.take(bias, DType::kF32, {columns});
  return FloatLayer(w.as<float>(), inputs, outputs, b.as<float>());
}

void FloatLayer::run(const float* rows, size_t count, float* out) const noexcept {
  const kernels::FloatWeights weights{.values = packed_.as<float>(),
                                      .inputs = inputs_,
                                      .taps = 1,
                                      .channels_padded = outputs_,
                                      .bias = bias_.as<float>()};
  kernels::kernels().gemm_f32f32_f32(rows, count, weights, out);
}

tensor::Tensor FloatLayer::weights() const {
  std::byte* to = nullptr;
  const Shape shape = {static_cast<int64_t>(inputs_), static_cast<int64_t>(outputs_)};
  tensor::Tensor tensor = tensor::make_tensor(DType::kF32, shape, &to);
  for (size_t i = 0; i < inputs_; ++i) {
    for (size_t o = 0; o < outputs_; ++o) {
      reinterpret_cast<float*>(to)[i * outputs_ + o] = packed_.as<float>()[place(i, o)];
    }
  }
  return tensor;
}

tensor::Tensor FloatLayer::bias() const {
  return copied({bias_.as<float>(), outputs_}, {static_cast<int64_t>(outputs_)});
}

}  // namespace snncore::lsh
