#include "lsh/space.h"

#include <algorithm>
#include <cmath>

#include "lsh/distance.h"

namespace snncore::lsh {
namespace {

void scale(const float* row, size_t dim, float factor, float* out) {
  for (size_t i = 0; i < dim; ++i) out[i] = row[i] * factor;
}

float inverse(float length) { return length > 0 ? 1 / length : 0; }

}  // namespace

void Space::embed(const float* rows, size_t count, float* out) const noexcept {
  for (size_t r = 0; r < count; ++r, rows += dim_, out += encoder_dim()) {
    if (metric_ == Metric::kL2) {
      std::copy_n(rows, dim_, out);
      continue;
    }
    const float length = length_of(rows, dim_);
    if (metric_ == Metric::kCosine) {
      scale(rows, dim_, inverse(length), out);
    } else {
      const float kept = std::max(length, longest_);
      scale(rows, dim_, inverse(kept), out);
      const float part = length * inverse(kept);
      out[dim_] = std::sqrt(std::max(0.0F, 1 - part * part));
    }
  }
}

void Space::embed_queries(const float* rows, size_t count, float* out) const noexcept {
  if (metric_ != Metric::kInnerProduct) return embed(rows, count, out);
  for (size_t r = 0; r < count; ++r, rows += dim_, out += encoder_dim()) {
    scale(rows, dim_, inverse(length_of(rows, dim_)), out);
    out[dim_] = 0;
  }
}

}  // namespace snncore::lsh
