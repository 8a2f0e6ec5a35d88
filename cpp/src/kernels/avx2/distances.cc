#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/distances.inc"
}  // namespace

float dot_f32f32_f32(const float* a, const float* b, size_t count) { return dot_f32(a, b, count); }
float squares_f32f32_f32(const float* a, const float* b, size_t count) { return squares_f32(a, b, count); }
int32_t dot_i8i8_i32(const int8_t* a, const int8_t* b, size_t count) { return dot_i8(a, b, count); }
uint32_t squares_i8i8_u32(const int8_t* a, const int8_t* b, size_t count) { return squares_i8(a, b, count); }

void hamming_b1b1_rows(const uint64_t* code, const uint64_t* rows, size_t words, const uint32_t* list,
                       size_t count, uint32_t* distances) {
  hamming_rows(code, rows, words, list, count, distances);
}

}  // namespace snncore::kernels::avx2
