#include "lsh/encoders/cross_polytope.h"

#include <bit>
#include <cmath>
#include <utility>

namespace snncore::lsh {
namespace {

constexpr size_t kRounds = 1;  // enough for vectors that are not sparse

size_t bits_of_function(size_t size) { return static_cast<size_t>(std::bit_width(size)); }

size_t functions_for(size_t dim, size_t bits) {
  const size_t each = bits_of_function(Rotations::size_for(dim));
  return (bits + each - 1) / each;
}

// The largest magnitude among coordinates whose index has bit `bit` as wanted.
float largest(const float* magnitudes, size_t count, size_t bit, bool set) {
  const size_t run = size_t{1} << bit;
  float best = 0;
  for (size_t first = set ? run : 0; first < count; first += 2 * run) {
    for (size_t i = first; i < first + run; ++i) best = std::max(best, magnitudes[i]);
  }
  return best;
}

// `turned` [2^(bits - 1)] becomes magnitudes.
void logits_of_function(float* turned, size_t bits, float scale, float* logits) {
  const size_t count = size_t{1} << (bits - 1);
  const auto [low, high] = std::minmax_element(turned, turned + count);
  logits[bits - 1] = (-*low - *high) * scale;
  for (size_t i = 0; i < count; ++i) turned[i] = std::fabs(turned[i]);
  for (size_t bit = 0; bit + 1 < bits; ++bit) {
    logits[bit] = (largest(turned, count, bit, true) - largest(turned, count, bit, false)) * scale;
  }
}

}  // namespace

CrossPolytope::CrossPolytope(Centre centre, uint64_t seed, size_t bits)
    : centre_(std::move(centre)),
      bits_(bits),
      rotations_(seed, functions_for(dim(), bits), kRounds, Rotations::size_for(dim())) {}

CrossPolytope::CrossPolytope(Stored& stored, size_t dim, size_t bits)
    : centre_(stored, dim),
      bits_(bits),
      rotations_(stored, functions_for(dim, bits), kRounds, Rotations::size_for(dim)) {}

void CrossPolytope::logits(const float* rows, size_t count, float* logits) const noexcept {
  std::vector<float> turned(rotations_.size());
  const size_t each = bits_of_function(rotations_.size());
  const float scale = 1 / rotations_.growth();
  centre_.for_tiles(rows, count, [&](const float* centred, size_t first, size_t tile) {
    for (size_t r = 0; r < tile; ++r) {
      for (size_t function = 0; function < rotations_.count(); ++function) {
        std::fill(std::copy_n(centred + r * dim(), dim(), turned.begin()), turned.end(), 0.0F);
        rotations_.turn(function, turned.data());
        const size_t at = function * each;
        logits_of_function(turned.data(), std::min(each, bits_ - at), scale,
                           logits + (first + r) * bits_ + at);
      }
    }
  });
}

Tensors CrossPolytope::tensors() const { return {{"mean", centre_.tensor()}, {"signs", rotations_.signs()}}; }

}  // namespace snncore::lsh
