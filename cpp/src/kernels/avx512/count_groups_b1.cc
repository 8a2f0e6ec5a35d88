#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

#include "kernels/body/count_groups_b1.inc"

// Eight groups of at most 64 bits, in a row of at most eight words: the two words of each.
struct EightGroups {
  __m512i low, high, shift;

  EightGroups(const GroupRows& rows, size_t first) {
    uint64_t bit[8];
    for (size_t g = 0; g < 8; ++g) bit[g] = first + g < rows.groups ? (first + g) * rows.dim : 0;
    const __m512i at = _mm512_loadu_si512(bit);
    low = _mm512_srli_epi64(at, 6);
    high = _mm512_min_epu64(_mm512_add_epi64(low, _mm512_set1_epi64(1)), _mm512_set1_epi64(7));
    shift = _mm512_and_si512(at, _mm512_set1_epi64(63));
  }

  [[nodiscard]] __m256i counts(__m512i row, __m512i mask) const {
    // A shift by 64 gives zero.
    const __m512i back = _mm512_sub_epi64(_mm512_set1_epi64(64), shift);
    const __m512i bits = _mm512_or_si512(_mm512_srlv_epi64(_mm512_permutexvar_epi64(low, row), shift),
                                         _mm512_sllv_epi64(_mm512_permutexvar_epi64(high, row), back));
    return _mm512_cvtepi64_epi32(_mm512_popcnt_epi64(_mm512_and_si512(bits, mask)));
  }
};

void count_eights(const GroupRows& rows, int32_t* out, size_t stride) {
  const auto words = static_cast<__mmask8>(0xff >> (8 - rows.words));
  const __m512i mask = _mm512_set1_epi64(static_cast<int64_t>(~uint64_t{0} >> (64 - rows.dim)));
  for (size_t first = 0; first < rows.groups; first += 8) {
    const EightGroups eight(rows, first);
    const size_t groups = rows.groups - first;
    const auto there = static_cast<__mmask8>(groups < 8 ? (1U << groups) - 1 : 0xff);
    for (size_t r = 0; r < rows.count; ++r) {
      __m512i row = _mm512_maskz_loadu_epi64(words, rows.x + r * rows.words);
      if (rows.y != nullptr) {
        row = _mm512_and_si512(row, _mm512_maskz_loadu_epi64(words, rows.y + r * rows.words));
      }
      const __m256i counts = _mm256_maskz_mov_epi32(there, eight.counts(row, mask));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r * stride + first), counts);
    }
  }
  const size_t made = (rows.groups + 7) / 8 * 8;
  for (size_t r = 0; r < rows.count && made < stride; ++r) {
    for (size_t g = made; g < stride; ++g) out[r * stride + g] = 0;
  }
}

}  // namespace

void count_groups_b1_i32(const GroupRows& rows, int32_t* out, size_t stride) {
  rows.words <= 8 && rows.dim <= 64 ? count_eights(rows, out, stride) : count_groups(rows, out, stride);
}

}  // namespace snncore::kernels::avx512
