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

}  // namespace

void requant_i64_i32(const int32_t* const* a, const WideRequant& q, size_t rows, int32_t* out) {
  requant_rows(a, q, rows, out);
}

}  // namespace snncore::kernels::avx512
