#include "lsh/encoders/srp.h"

#include <utility>

namespace snncore::lsh {
namespace {

constexpr size_t kRounds = 3;

size_t rotations_for(size_t dim, size_t bits) {
  const size_t size = Rotations::size_for(dim);
  return (bits + size - 1) / size;
}

}  // namespace

Srp::Srp(Centre centre, uint64_t seed, size_t bits)
    : centre_(std::move(centre)),
      bits_(bits),
      rotations_(seed, rotations_for(dim(), bits), kRounds, Rotations::size_for(dim())) {}

Srp::Srp(Stored& stored, size_t dim, size_t bits)
    : centre_(stored, dim),
      bits_(bits),
      rotations_(stored, rotations_for(dim, bits), kRounds, Rotations::size_for(dim)) {}

void Srp::logits(const float* rows, size_t count, float* logits) const noexcept {
  std::vector<float> turned(rotations_.size());
  const float scale = 1 / rotations_.growth();
  centre_.for_tiles(rows, count, [&](const float* centred, size_t first, size_t tile) {
    for (size_t r = 0; r < tile; ++r) {
      float* out = logits + (first + r) * bits_;
      for (size_t rotation = 0; rotation < rotations_.count(); ++rotation) {
        std::fill(std::copy_n(centred + r * dim(), dim(), turned.begin()), turned.end(), 0.0F);
        rotations_.turn(rotation, turned.data());
        const size_t at = rotation * rotations_.size(), bits = std::min(rotations_.size(), bits_ - at);
        for (size_t i = 0; i < bits; ++i) out[at + i] = turned[i] * scale;
      }
    }
  });
}

Tensors Srp::tensors() const { return {{"mean", centre_.tensor()}, {"signs", rotations_.signs()}}; }

}  // namespace snncore::lsh
