// Projections cut into cells (Datar et al. 2004).
#pragma once

#include "lsh/encoders/float_layer.h"

namespace snncore::lsh {

/// h(x) = floor(x . a / w + b / w), one function a bit: the parity of h, so that neighbouring cells differ. A
/// logit is the distance to the nearest edge of the cell in widths, negative in even cells: what a bit costs
/// to flip is what the neighbouring cell costs to probe. Tensors: directions F32 [dim][bits], a / w; offsets
/// F32 [bits], b / w.
class E2Lsh final : public Encoder {
 public:
  E2Lsh(FloatLayer functions, size_t dim) : dim_(dim), functions_(std::move(functions)) {}
  E2Lsh(Stored& stored, size_t dim, size_t bits)
      : E2Lsh(FloatLayer::read(stored, "directions", dim, bits, "offsets"), dim) {}

  [[nodiscard]] std::string_view kind() const noexcept override { return "e2lsh"; }
  [[nodiscard]] size_t dim() const noexcept override { return dim_; }
  [[nodiscard]] size_t bits() const noexcept override { return functions_.outputs(); }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

  /// h before the floor, [count][bits].
  void places(const float* rows, size_t count, float* places) const noexcept {
    functions_.run(rows, count, places);
  }

 private:
  size_t dim_;
  FloatLayer functions_;
};

}  // namespace snncore::lsh
