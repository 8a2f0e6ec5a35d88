// The projection of itq, or the network of mlp, with weights of int8 or of +1 and -1: sums of bytes, exact.
#pragma once

#include "lsh/encoders/byte_layer.h"
#include "lsh/encoders/centre.h"

namespace snncore::lsh {

/// q = round((x - mean) input_scale), within -127..127, are the inputs; with S = q projection and, in an mlp,
/// H = round((q hidden) hidden_scale + hidden_bias), within 0..255, logits = S projection_scale + bias + (H
/// residual) residual_scale. Rounded to nearest, ties to even. Tensors: mean, input_scale F32 [dim];
/// projection I8 [dim][bits] or U64 [dim][bits / 64], set bits +1 and clear ones -1; projection_scale, bias
/// F32 [bits]; in an mlp hidden and residual alike, hidden_scale, hidden_bias F32 [h], residual_scale F32
/// [bits].
class Quantised final : public Encoder {
 public:
  /// `kind` is "itq" or "mlp".
  Quantised(std::string_view kind, Stored& stored, size_t dim, size_t bits);

  [[nodiscard]] std::string_view kind() const noexcept override { return mlp_ ? "mlp" : "itq"; }
  [[nodiscard]] size_t dim() const noexcept override { return centre_.dim(); }
  [[nodiscard]] size_t bits() const noexcept override { return projection_.outputs(); }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

 private:
  struct Scratch;
  void project(Scratch& scratch, size_t tile, float* out) const noexcept;
  void correct(Scratch& scratch, size_t tile, float* out) const noexcept;

  bool mlp_;
  Centre centre_;
  std::vector<float> input_scale_, projection_scale_, bias_;
  ByteLayer projection_;
  std::vector<float> hidden_scale_, hidden_bias_, residual_scale_;
  ByteLayer hidden_, residual_;
};

}  // namespace snncore::lsh
