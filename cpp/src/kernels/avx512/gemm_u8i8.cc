// Bytes times codes with VNNI: vpdpbusd takes unsigned by signed bytes and does not saturate.
#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {
namespace {

inline __m512i inputs_of(const uint8_t* x) {
  int32_t group;
  __builtin_memcpy(&group, x, 4);
  return _mm512_set1_epi32(group);
}

// kPixels pixels by 32 channels.
template <size_t kPixels, bool kOdd>
inline void multiply_block(const uint8_t* x, const ByteWeights& w, size_t c, int32_t* sums) {
  constexpr size_t kVectors = 2;
  const size_t cp = w.channels_padded, pitch = 4 * w.k4;
  I32 acc[kPixels][kVectors] = {}, totals[kPixels] = {};  // totals: the sum of the inputs
  for (size_t j = 0; j < w.k4; ++j) {
    const int8_t* codes = w.codes + 4 * (j * cp + c);
    const __m512i a = _mm512_loadu_si512(codes), b = _mm512_loadu_si512(codes + kVectorBytes);
    for (size_t p = 0; p < kPixels; ++p) {
      const __m512i in = inputs_of(x + p * pitch + 4 * j);
      acc[p][0] = as32(_mm512_dpbusd_epi32(raw(acc[p][0]), in, a));
      acc[p][1] = as32(_mm512_dpbusd_epi32(raw(acc[p][1]), in, b));
      if constexpr (kOdd) totals[p] = as32(_mm512_dpbusd_epi32(raw(totals[p]), in, _mm512_set1_epi8(1)));
    }
  }
  for (size_t p = 0; p < kPixels; ++p) {
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t at = c + v * kLanes32;
      const I32 sum = kOdd ? acc[p][v] + acc[p][v] + totals[p] : acc[p][v];
      store(sums + p * cp + at, sum + load<I32>(w.init + at));
    }
  }
}

template <bool kOdd>
void multiply(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  const size_t pitch = 4 * w.k4, cp = w.channels_padded;
  for (size_t c = 0; c < cp; c += 2 * kLanes32) {
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

}  // namespace snncore::kernels::avx512
