// The vertex of a randomly turned cross-polytope nearest to a vector (Andoni et al. 2015).
#include <algorithm>
#include <bit>
#include <cmath>

#include "lsh/encoders/rotated.h"

namespace snncore::lsh {
namespace {

size_t most_bits(size_t size) noexcept { return static_cast<size_t>(std::bit_width(size)); }

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
void logits_of_function(float* turned, size_t bits, float scale, float* logits) noexcept {
  const size_t count = size_t{1} << (bits - 1);
  const auto [low, high] = std::minmax_element(turned, turned + count);
  logits[bits - 1] = (-*low - *high) * scale;
  for (size_t i = 0; i < count; ++i) turned[i] = std::fabs(turned[i]);
  for (size_t bit = 0; bit + 1 < bits; ++bit) {
    logits[bit] = (largest(turned, count, bit, true) - largest(turned, count, bit, false)) * scale;
  }
}

}  // namespace

constinit const RotatedKind kCrossPolytope = {.name = "cross_polytope",
                                              .rounds = 1,  // enough for vectors that are not sparse
                                              .most_bits = most_bits,
                                              .logits = logits_of_function};

}  // namespace snncore::lsh
