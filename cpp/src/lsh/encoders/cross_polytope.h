// The vertex of a randomly turned cross-polytope nearest to a vector (Andoni et al. 2015).
#pragma once

#include "lsh/encoders/centre.h"
#include "lsh/encoders/rotation.h"

namespace snncore::lsh {

/// Functions of log2(size) + 1 bits, the last of fewer coordinates, so that together they have all bits: the
/// coordinate that is largest in magnitude, lowest bit first, then a bit that is set where it is negative. A
/// logit is by how much the best vertex with this bit set beats the best one with it clear. Tensors: mean F32
/// [dim], signs U64 [functions][1][size / 64].
class CrossPolytope final : public Encoder {
 public:
  CrossPolytope(Centre centre, uint64_t seed, size_t bits);
  CrossPolytope(Stored& stored, size_t dim, size_t bits);

  [[nodiscard]] std::string_view kind() const noexcept override { return "cross_polytope"; }
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
