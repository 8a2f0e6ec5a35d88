#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {

uint64_t popcount_b1(const uint64_t* words, size_t count) {
  constexpr size_t kWords = kVectorBytes / sizeof(uint64_t);
  __m512i sums = _mm512_setzero_si512();
  size_t i = 0;
  for (; i + kWords <= count; i += kWords) {
    sums = _mm512_add_epi64(sums, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i)));
  }
  const auto lanes = reinterpret_cast<U64>(sums);
  uint64_t sum = 0;
  for (size_t lane = 0; lane < kWords; ++lane) sum += lanes[lane];
  for (; i < count; ++i) sum += static_cast<uint64_t>(__builtin_popcountll(words[i]));
  return sum;
}

}  // namespace snncore::kernels::avx512
