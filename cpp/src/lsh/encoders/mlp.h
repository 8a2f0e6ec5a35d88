// A small network that corrects a projection, in float32.
#pragma once

#include "lsh/encoders/centre.h"
#include "lsh/encoders/float_layer.h"

namespace snncore::lsh {

/// logits = c W + relu(c W1 + b1) W2, c = x - mean. Tensors, F32: mean [dim], projection [dim][bits] (W),
/// hidden [dim][h] (W1), hidden_bias [h], residual [h][bits] (W2); h is a multiple of 64, at most 1024.
class Mlp final : public Encoder {
 public:
  Mlp(Stored& stored, size_t dim, size_t bits);

  [[nodiscard]] std::string_view kind() const noexcept override { return "mlp"; }
  [[nodiscard]] size_t dim() const noexcept override { return centre_.dim(); }
  [[nodiscard]] size_t bits() const noexcept override { return projection_.outputs(); }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

 private:
  Centre centre_;
  FloatLayer projection_, hidden_, residual_;
};

}  // namespace snncore::lsh
