// Codes of vectors that are centred, then turned by random rotations.
#pragma once

#include "lsh/encoders/centre.h"
#include "lsh/encoders/rotation.h"

namespace snncore::lsh {

/// What a kind makes of each rotation of a vector.
struct RotatedKind {
  std::string_view name;
  size_t rounds;                              // of a rotation
  size_t (*most_bits)(size_t size) noexcept;  // that a rotation of `size` numbers gives
  /// The first `bits` of them. `turned` [size], which times `scale` is as long as the vector, is overwritten.
  void (*logits)(float* turned, size_t bits, float scale, float* logits) noexcept;
};

/// Signs of random projections: each number of a rotation is the projection of x - mean on a unit vector.
extern const RotatedKind kSrp;

/// The vertex of a turned cross-polytope that is nearest, log2(size) + 1 bits: the coordinate that is largest
/// in magnitude, lowest bit first, then a bit that is set where it is negative. Of fewer bits, so many fewer
/// coordinates. A logit is by how much the best vertex with this bit set beats the best one with it clear.
extern const RotatedKind kCrossPolytope;

/// As many rotations as it takes, the last of which gives the bits that are left. Tensors: mean F32 [dim],
/// signs U64 [rotations][rounds][size / 64].
class Rotated final : public Encoder {
 public:
  /// `kind` stays alive.
  Rotated(const RotatedKind& kind, Centre centre, uint64_t seed, size_t bits);
  Rotated(const RotatedKind& kind, Stored& stored, size_t dim, size_t bits);

  [[nodiscard]] std::string_view kind() const noexcept override { return kind_.name; }
  [[nodiscard]] size_t dim() const noexcept override { return centre_.dim(); }
  [[nodiscard]] size_t bits() const noexcept override { return bits_; }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

 private:
  const RotatedKind& kind_;
  Centre centre_;
  size_t bits_;
  Rotations rotations_;
};

}  // namespace snncore::lsh
