#include "lsh/encoders/e2lsh.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace snncore::lsh {
namespace {

float signed_distance(float place) noexcept {
  const float cell = std::floor(place), within = place - cell, edge = std::min(within, 1 - within);
  const bool odd = cell * 0.5F != std::floor(cell * 0.5F);
  return odd ? edge : -std::max(edge, std::numeric_limits<float>::min());  // never -0: its bit would be set
}

}  // namespace

void E2Lsh::logits(const float* rows, size_t count, float* logits) const noexcept {
  places(rows, count, logits);
  for (size_t i = 0; i < count * bits(); ++i) logits[i] = signed_distance(logits[i]);
}

Tensors E2Lsh::tensors() const {
  return {{"directions", functions_.weights()}, {"offsets", functions_.bias()}};
}

}  // namespace snncore::lsh
