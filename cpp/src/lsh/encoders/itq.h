// Projections on principal components, rotated so that their signs lose little (Gong, Lazebnik 2011).
#pragma once

#include "lsh/encoders/centre.h"
#include "lsh/encoders/float_layer.h"

namespace snncore::lsh {

/// logits = (x - mean) W. Tensors: mean F32 [dim], projection F32 [dim][bits].
class Itq final : public Encoder {
 public:
  Itq(Centre centre, FloatLayer projection);
  Itq(Stored& stored, size_t dim, size_t bits);

  [[nodiscard]] std::string_view kind() const noexcept override { return "itq"; }
  [[nodiscard]] size_t dim() const noexcept override { return centre_.dim(); }
  [[nodiscard]] size_t bits() const noexcept override { return projection_.outputs(); }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

 private:
  Centre centre_;
  FloatLayer projection_;
};

}  // namespace snncore::lsh
