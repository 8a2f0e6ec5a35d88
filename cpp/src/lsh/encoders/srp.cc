// Signs of random projections (Charikar 2002), by three rounds of random signs and Walsh-Hadamard transforms.
#include "lsh/encoders/rotated.h"

namespace snncore::lsh {
namespace {

size_t most_bits(size_t size) noexcept { return size; }

void projections(float* turned, size_t bits, float scale, float* logits) noexcept {
  for (size_t i = 0; i < bits; ++i) logits[i] = turned[i] * scale;
}

}  // namespace

constinit const RotatedKind kSrp = {
    .name = "srp", .rounds = 3, .most_bits = most_bits, .logits = projections};

}  // namespace snncore::lsh
