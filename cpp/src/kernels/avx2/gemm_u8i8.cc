// Bytes times codes, exactly: vpmaddubsw would saturate, so even and odd bytes are widened and go through
// vpmaddwd.
#include "kernels/avx2/entries.h"
#include "kernels/avx2/simd.h"

namespace snncore::kernels::avx2 {
namespace {

// Bytes 0 and 2, and bytes 1 and 3, of each group of four inputs as int16.
struct Pairs {
  __m256i even, odd;
};

inline Pairs inputs_of(const uint8_t* x) {
  int32_t group;
  __builtin_memcpy(&group, x, 4);
  const __m256i v = _mm256_set1_epi32(group), low = _mm256_set1_epi32(0x00ff00ff);
  return {_mm256_and_si256(v, low), _mm256_and_si256(_mm256_srli_epi16(v, 8), low)};
}

// The weights as int16, where 2 * code + 1 fits too.
template <bool kOdd>
inline Pairs weights_of(const int8_t* codes) {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)), one = _mm256_set1_epi16(1);
  const __m256i even = _mm256_slli_epi16(v, 8);
  if constexpr (!kOdd) return {_mm256_srai_epi16(even, 8), _mm256_srai_epi16(v, 8)};
  return {_mm256_or_si256(_mm256_srai_epi16(even, 7), one), _mm256_or_si256(_mm256_srai_epi16(v, 7), one)};
}

inline I32 dot(const Pairs& a, const Pairs& b) {
  return as32(_mm256_add_epi32(_mm256_madd_epi16(a.even, b.even), _mm256_madd_epi16(a.odd, b.odd)));
}

// kPixels pixels by 16 channels.
template <size_t kPixels, bool kOdd>
inline void multiply_block(const uint8_t* x, const ByteWeights& w, size_t c, int32_t* sums) {
  constexpr size_t kVectors = 2;
  const size_t cp = w.channels_padded, pitch = 4 * w.k4;
  I32 acc[kPixels][kVectors];
  for (size_t p = 0; p < kPixels; ++p) {
    for (size_t v = 0; v < kVectors; ++v) acc[p][v] = load<I32>(w.init + c + v * kLanes32);
  }
  for (size_t j = 0; j < w.k4; ++j) {
    const int8_t* codes = w.codes + 4 * (j * cp + c);
    const Pairs a = weights_of<kOdd>(codes), b = weights_of<kOdd>(codes + kVectorBytes);
    for (size_t p = 0; p < kPixels; ++p) {
      const Pairs in = inputs_of(x + p * pitch + 4 * j);
      acc[p][0] += dot(in, a);
      acc[p][1] += dot(in, b);
    }
  }
  for (size_t p = 0; p < kPixels; ++p) {
    for (size_t v = 0; v < kVectors; ++v) store(sums + p * cp + c + v * kLanes32, acc[p][v]);
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

}  // namespace snncore::kernels::avx2
