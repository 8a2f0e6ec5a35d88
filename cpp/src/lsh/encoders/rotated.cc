#include "lsh/encoders/rotated.h"

#include <algorithm>
#include <utility>

namespace snncore::lsh {
namespace {

size_t rotations_for(const RotatedKind& kind, size_t dim, size_t bits) {
  const size_t each = kind.most_bits(Rotations::size_for(dim));
  return (bits + each - 1) / each;
}

}  // namespace

Rotated::Rotated(const RotatedKind& kind, Centre centre, uint64_t seed, size_t bits)
    : kind_(kind),
      centre_(std::move(centre)),
      bits_(bits),
      rotations_(seed, rotations_for(kind, dim(), bits), kind.rounds, Rotations::size_for(dim())) {}

Rotated::Rotated(const RotatedKind& kind, Stored& stored, size_t dim, size_t bits)
    : kind_(kind),
      centre_(stored, dim),
      bits_(bits),
      rotations_(stored, rotations_for(kind, dim, bits), kind.rounds, Rotations::size_for(dim)) {}

void Rotated::logits(const float* rows, size_t count, float* logits) const noexcept {
  std::vector<float> turned(rotations_.size());
  const size_t each = kind_.most_bits(rotations_.size());
  const float scale = 1 / rotations_.growth();
  centre_.for_tiles(rows, count, [&](const float* centred, size_t first, size_t tile) {
    for (size_t r = 0; r < tile; ++r) {
      float* out = logits + (first + r) * bits_;
      for (size_t rotation = 0; rotation < rotations_.count(); ++rotation) {
        std::fill(std::copy_n(centred + r * dim(), dim(), turned.begin()), turned.end(), 0.0F);
        rotations_.turn(rotation, turned.data());
        const size_t at = rotation * each;
        kind_.logits(turned.data(), std::min(each, bits_ - at), scale, out + at);
      }
    }
  });
}

Tensors Rotated::tensors() const { return {{"mean", centre_.tensor()}, {"signs", rotations_.signs()}}; }

}  // namespace snncore::lsh
