#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {
namespace {

inline __m512i widened(const int32_t* from) {
  return _mm512_cvtepi32_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}

// Narrowing saturates, so sums are clamped by the way there and back.
#define SNNCORE_OWN_WIDE
struct Wide {
  static constexpr size_t kVectors = 2, kLanes = 8 * kVectors;
  __m512i x[kVectors];

  explicit Wide(const int64_t* from) {
    for (size_t v = 0; v < kVectors; ++v) x[v] = _mm512_loadu_si512(from + 8 * v);
  }
  void add_product(const int32_t* a, const int32_t* m) {
    for (size_t v = 0; v < kVectors; ++v) {
      x[v] = _mm512_add_epi64(x[v], _mm512_mul_epi32(widened(a + 8 * v), widened(m + 8 * v)));
    }
  }
  void add(const int32_t* a) {
    for (size_t v = 0; v < kVectors; ++v) x[v] = _mm512_add_epi64(x[v], widened(a + 8 * v));
  }
  void shift_and_clamp(const int64_t* n) {
    for (size_t v = 0; v < kVectors; ++v) {
      x[v] = _mm512_srav_epi64(x[v], _mm512_loadu_si512(n + 8 * v));
    }
    clamp();
  }
  void clamp() {
    for (__m512i& lanes : x) lanes = _mm512_cvtepi32_epi64(_mm512_cvtsepi64_epi32(lanes));
  }
  void store_to(int32_t* to) const {
    for (size_t v = 0; v < kVectors; ++v) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8 * v), _mm512_cvtsepi64_epi32(x[v]));
    }
  }
};

#include "kernels/body/requant_i64.inc"

// The even and the odd ones of 16 channels, in lanes of 64 bits: no product needs its factors widened.
struct Halves {
  __m512i even, odd;
};

inline Halves halves(const int64_t* from) {
  const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), odd = _mm512_set1_epi64(1),
                low = _mm512_loadu_si512(from), high = _mm512_loadu_si512(from + 8);
  return {_mm512_permutex2var_epi64(low, even, high),
          _mm512_permutex2var_epi64(low, _mm512_add_epi64(even, odd), high)};
}

inline __m512i upper(__m512i x) { return _mm512_srli_epi64(x, 32); }

// One sum and 16 channels, row after row. What leaves 32 bits is rare, so it is found and done again.
void column(const int32_t* const* a, const WideRequant& q, size_t c, size_t rows, int32_t* out) {
  constexpr __mmask16 kOdd = 0xaaaa;
  const __m512i m = _mm512_loadu_si512(q.m[0] + c), m_odd = upper(m);
  const Halves offset = halves(q.c + c), shift = halves(q.n + c);
  for (size_t r = 0; r < rows; ++r) {
    const size_t at = r * q.channels_padded + c;
    const __m512i sum = _mm512_loadu_si512(a[0] + at);
    const __m512i even =
        _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum, m), offset.even), shift.even);
    const __m512i odd =
        _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(upper(sum), m_odd), offset.odd), shift.odd);
    __m512i x = _mm512_mask_blend_epi32(kOdd, even, _mm512_slli_epi64(odd, 32));
    const __m512i signs = _mm512_mask_blend_epi32(kOdd, upper(even), odd);
    __mmask16 left = _mm512_cmpneq_epi32_mask(_mm512_srai_epi32(x, 31), signs);
    __m512i carried = _mm512_setzero_si512();
    for (size_t j = 1; j <= q.streams; ++j) {
      const __m512i y = _mm512_loadu_si512(a[j] + at), z = _mm512_add_epi32(x, y);
      carried = _mm512_or_si512(carried, _mm512_ternarylogic_epi32(x, y, z, 0x42));  // x = y, and z is not
      x = z;
    }
    left |= _mm512_movepi32_mask(carried);
    if (left == 0) {
      _mm512_storeu_si512(out + at, x);
    } else {
      requant_block(a, q, at, c, out);
    }
  }
}

}  // namespace

void requant_i64_i32(const int32_t* const* a, const WideRequant& q, size_t rows, int32_t* out) {
  if (q.sums != 1) {
    requant_rows(a, q, rows, out);
    return;
  }
  for (size_t c = 0; c < q.channels_padded; c += Wide::kLanes) column(a, q, c, rows, out);
}

}  // namespace snncore::kernels::avx512
