#include "lsh/vectors.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lsh/distance.h"

namespace snncore::lsh {
namespace {

constexpr float kLevels = 255;
constexpr float kMiddle = 128;

float largest(Metric metric, const float* row, size_t dim) {
  float most = 0;
  for (size_t i = 0; i < dim; ++i) most = std::max(most, std::abs(row[i]));
  if (metric != Metric::kCosine) return most;
  const float length = length_of(row, dim);
  return length > 0 ? most / length : 0;
}

}  // namespace

Grid Grid::over(Metric metric, const float* rows, size_t count, size_t dim) {
  Grid grid;
  if (metric == Metric::kL2) {
    const auto [low, high] = std::minmax_element(rows, rows + count * dim);
    grid.low = *low;
    grid.step = (*high - *low) / kLevels;
  } else {
    float most = 0;
    for (size_t r = 0; r < count; ++r) most = std::max(most, largest(metric, rows + r * dim, dim));
    grid.step = most / (kMiddle - 1);
    grid.low = -kMiddle * grid.step;
  }
  if (!(grid.step > 0)) grid.step = 1;
  return grid;
}

void Grid::codes(const float* values, size_t count, int8_t* out) const noexcept {
  for (size_t i = 0; i < count; ++i) {
    const float level = std::nearbyint((values[i] - low) / step);
    out[i] = static_cast<int8_t>(std::clamp(level, 0.0F, kLevels) - kMiddle);
  }
}

void Grid::values(const int8_t* codes, size_t count, float* out) const noexcept {
  for (size_t i = 0; i < count; ++i) out[i] = low + step * (static_cast<float>(codes[i]) + kMiddle);
}

uint16_t to_half(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const float magnitude = std::abs(value);
  if (!(magnitude < kHalfEnd)) return static_cast<uint16_t>(sign | (magnitude > 0 ? 0x7c00 : 0x7e00));
  if (magnitude < 0x1p-14F) {  // subnormal: the sum rounds to a multiple of 2^-24
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(magnitude + 0.5F) & 0x7ff));
  }
  const uint32_t exponent_and_fraction = (bits & 0x7fffffff) - ((127 - 15) << 23);
  const uint32_t odd = exponent_and_fraction >> 13 & 1;
  return static_cast<uint16_t>(sign | (exponent_and_fraction + 0xfff + odd) >> 13);
}

void from_half(const uint16_t* from, size_t count, float* to) noexcept {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t bits = from[i];
    // The fraction in place, the exponent put right by a product, which is exact for subnormal ones too.
    const float magnitude = std::bit_cast<float>((bits & 0x7fff) << 13) * 0x1p112F;
    const bool special = (bits & 0x7c00) == 0x7c00;
    const uint32_t finite = std::bit_cast<uint32_t>(magnitude) | (bits & 0x8000) << 16;
    to[i] = std::bit_cast<float>(special ? finite | 0x7f800000 : finite);
  }
}

size_t Vectors::row_bytes() const noexcept {
  switch (store_) {
    case Store::kF32:
      return dim_ * sizeof(float);
    case Store::kF16:
      return dim_ * sizeof(uint16_t);
    case Store::kI8:
      return dim_;
    case Store::kNone:
      return 0;
  }
  return 0;
}

void Vectors::add(const float* rows, size_t count) {
  uint8_t* to = bytes_.append(count * row_bytes());
  if (store_ == Store::kF32) std::copy_n(rows, count * dim_, reinterpret_cast<float*>(to));
  if (store_ == Store::kF16)
    std::transform(rows, rows + count * dim_, reinterpret_cast<uint16_t*>(to), to_half);
  if (store_ == Store::kI8) grid_.codes(rows, count * dim_, reinterpret_cast<int8_t*>(to));
}

const float* Vectors::row(size_t slot, float* scratch) const noexcept {
  const uint8_t* from = bytes_.data() + slot * row_bytes();
  if (store_ == Store::kF32) return reinterpret_cast<const float*>(from);
  if (store_ == Store::kF16) from_half(reinterpret_cast<const uint16_t*>(from), dim_, scratch);
  if (store_ == Store::kI8) grid_.values(reinterpret_cast<const int8_t*>(from), dim_, scratch);
  return scratch;
}

}  // namespace snncore::lsh
