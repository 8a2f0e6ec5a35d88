#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void planes_of_rows_b1(const uint64_t* rows, size_t words, size_t count, uint8_t* planes, size_t pitch) {
  const size_t lanes = (count + kPlaneLanes - 1) / kPlaneLanes * kPlaneLanes;
  for (size_t b = 0; b < 8 * words; ++b) {
    for (size_t l = 0; l < lanes; ++l) {
      const uint64_t word = l < count ? rows[l * words + b / 8] : 0;
      planes[b * pitch + l] = static_cast<uint8_t>(word >> (b % 8 * 8));
    }
  }
}

void planes_of_columns_b1(const uint64_t* rows, size_t words, size_t count, uint8_t* planes, size_t pitch) {
  for (size_t b = 0; b < (count + 7) / 8; ++b) {
    for (size_t l = 0; l < 64 * words; ++l) {
      uint64_t byte = 0;
      for (size_t i = 0; i < 8 && 8 * b + i < count; ++i) {
        byte |= (rows[(8 * b + i) * words + l / 64] >> (l % 64) & 1) << i;
      }
      planes[b * pitch + l] = static_cast<uint8_t>(byte);
    }
  }
}

void transpose_b1(const uint64_t* rows, size_t words, size_t count, size_t columns, uint64_t* out) {
  const size_t out_words = (count + 63) / 64;
  for (size_t c = 0; c < columns; ++c) {
    for (size_t w = 0; w < out_words; ++w) {
      uint64_t word = 0;
      for (size_t i = 0; i < 64 && 64 * w + i < count; ++i) {
        word |= (rows[(64 * w + i) * words + c / 64] >> (c % 64) & 1) << i;
      }
      out[c * out_words + w] = word;
    }
  }
}

}  // namespace snncore::kernels::scalar
