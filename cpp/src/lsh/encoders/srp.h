// Signs of random projections (Charikar 2002), by three rounds of random signs and Walsh-Hadamard transforms.
#pragma once

#include "lsh/encoders/centre.h"
#include "lsh/encoders/rotation.h"

namespace snncore::lsh {

/// logits are projections of x - mean on unit vectors; more bits than the size of a rotation take several.
/// Tensors: mean F32 [dim], signs U64 [rotations][3][size / 64].
class Srp final : public Encoder {
 public:
  Srp(Centre centre, uint64_t seed, size_t bits);
  Srp(Stored& stored, size_t dim, size_t bits);

  [[nodiscard]] std::string_view kind() const noexcept override { return "srp"; }
  [[nodiscard]] size_t dim() const noexcept override { return centre_.dim(); }
  [[nodiscard]] size_t bits() const noexcept override { return bits_; }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

 private:
  Centre centre_;
  size_t bits_;
  Rotations rotations_;
};

}  // namespace snncore::lsh
