// Bytes times codes with the signed dot product: x - 128 is signed, and 128 times the sum of the codes puts
// it right.
#include "kernels/neon/simd.h"
#include "kernels/neon_dotprod/entries.h"

namespace snncore::kernels::neon_dotprod {
namespace {

inline int8x16_t inputs_of(const uint8_t* x) {
  uint32_t group;
  __builtin_memcpy(&group, x, 4);
  return vreinterpretq_s8_u32(vdupq_n_u32(group ^ 0x80808080));
}

// kPixels pixels by 16 channels.
template <size_t kPixels, bool kOdd>
inline void multiply_block(const uint8_t* x, const ByteWeights& w, size_t c, int32_t* sums) {
  constexpr size_t kVectors = 4;
  const size_t cp = w.channels_padded, pitch = 4 * w.k4;
  int32x4_t acc[kPixels][kVectors], totals[kPixels];  // totals: the sum of the inputs
  for (size_t p = 0; p < kPixels; ++p) {
    totals[p] = vdupq_n_s32(static_cast<int32_t>(128 * pitch));
    for (size_t v = 0; v < kVectors; ++v) acc[p][v] = vshlq_n_s32(vld1q_s32(w.code_sums + c + 4 * v), 7);
  }
  for (size_t j = 0; j < w.k4; ++j) {
    const int8_t* codes = w.codes + 4 * (j * cp + c);
    const int8x16_t rows[kVectors] = {vld1q_s8(codes), vld1q_s8(codes + 16), vld1q_s8(codes + 32),
                                      vld1q_s8(codes + 48)};
    for (size_t p = 0; p < kPixels; ++p) {
      const int8x16_t in = inputs_of(x + p * pitch + 4 * j);
      for (size_t v = 0; v < kVectors; ++v) acc[p][v] = vdotq_s32(acc[p][v], rows[v], in);
      if constexpr (kOdd) totals[p] = vdotq_s32(totals[p], vdupq_n_s8(1), in);
    }
  }
  for (size_t p = 0; p < kPixels; ++p) {
    for (size_t v = 0; v < kVectors; ++v) {
      const int32x4_t sum = kOdd ? vaddq_s32(vshlq_n_s32(acc[p][v], 1), totals[p]) : acc[p][v];
      vst1q_s32(sums + p * cp + c + 4 * v, vaddq_s32(vld1q_s32(w.init + c + 4 * v), sum));
    }
  }
}

template <bool kOdd>
void multiply(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  const size_t pitch = 4 * w.k4, cp = w.channels_padded;
  for (size_t c = 0; c < cp; c += 16) {
    size_t p = 0;
    for (; p + 4 <= pixels; p += 4) multiply_block<4, kOdd>(x + p * pitch, w, c, sums + p * cp);
    for (; p < pixels; ++p) multiply_block<1, kOdd>(x + p * pitch, w, c, sums + p * cp);
  }
}

}  // namespace

void gemm_u8i8_i32(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  if (w.odd) {
    multiply<true>(x, pixels, w, sums);
  } else {
    multiply<false>(x, pixels, w, sums);
  }
}

}  // namespace snncore::kernels::neon_dotprod
