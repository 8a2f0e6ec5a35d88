#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

constexpr size_t kPartialSums = 16;

float in_a_tree(float* partial) {
  for (size_t half = kPartialSums / 2; half > 0; half /= 2) {
    for (size_t l = 0; l < half; ++l) partial[l] += partial[l + half];
  }
  return partial[0];
}

}  // namespace

float dot_f32f32_f32(const float* a, const float* b, size_t count) {
  float partial[kPartialSums] = {};
  for (size_t i = 0; i < count; ++i) partial[i % kPartialSums] += a[i] * b[i];
  return in_a_tree(partial);
}

float squares_f32f32_f32(const float* a, const float* b, size_t count) {
  float partial[kPartialSums] = {};
  for (size_t i = 0; i < count; ++i) partial[i % kPartialSums] += (a[i] - b[i]) * (a[i] - b[i]);
  return in_a_tree(partial);
}

int32_t dot_i8i8_i32(const int8_t* a, const int8_t* b, size_t count) {
  int32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

uint32_t squares_i8i8_u32(const int8_t* a, const int8_t* b, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<uint32_t>((a[i] - b[i]) * (a[i] - b[i]));
  return sum;
}

void hamming_b1b1_rows(const uint64_t* code, const uint64_t* rows, size_t words, const uint32_t* list,
                       size_t count, uint32_t* distances) {
  for (size_t i = 0; i < count; ++i) {
    uint64_t sum = 0;
    for (size_t w = 0; w < words; ++w) {
      const uint64_t different = code[w] ^ rows[list[i] * words + w];
      sum += popcount_b1(&different, 1);
    }
    distances[i] = static_cast<uint32_t>(sum);
  }
}

}  // namespace snncore::kernels::scalar
