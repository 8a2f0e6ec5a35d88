// Distances of vectors, by the kernels.
#pragma once

#include <cmath>
#include <cstddef>

#include "kernels/table.h"

namespace snncore::lsh {

inline float dot(const float* a, const float* b, size_t count) noexcept {
  return kernels::kernels().dot_f32f32_f32(a, b, count);
}

inline float length_of(const float* row, size_t count) noexcept { return std::sqrt(dot(row, row, count)); }

/// A vector of length 1, or 0 where `row` is.
inline void to_unit(const float* row, size_t count, float* out) noexcept {
  const float length = length_of(row, count);
  for (size_t i = 0; i < count; ++i) out[i] = length > 0 ? row[i] / length : 0;
}

}  // namespace snncore::lsh
