#include <immintrin.h>

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

constexpr size_t kTile = 8;

template <size_t Q>
struct Counts {
  __m512i sums[Q];

  void clear() {
    for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  }

  void add(const uint8_t* codes, const uint32_t* const (&queries)[Q], size_t from, size_t to) {
    for (size_t byte = from; byte < to; ++byte) {
      const __m512i code = _mm512_loadu_si512(codes + byte * kCodeBlock);
      for (size_t q = 0; q < Q; ++q) {
        const __m512i query = _mm512_set1_epi32(static_cast<int32_t>(queries[q][byte]));
        sums[q] = _mm512_adds_epu8(sums[q], _mm512_popcnt_epi8(_mm512_xor_si512(code, query)));
      }
    }
  }

  bool any_below(const uint8_t (&limits)[Q]) const {
    __m512i room = _mm512_setzero_si512();
    for (size_t q = 0; q < Q; ++q) {
      room = _mm512_or_si512(room, _mm512_subs_epu8(_mm512_set1_epi8(static_cast<char>(limits[q])), sums[q]));
    }
    return _mm512_test_epi8_mask(room, room) != 0;
  }

  void store(size_t query, uint8_t* distances) const { _mm512_storeu_si512(distances, sums[query]); }
};

#include "kernels/body/hamming.inc"
}  // namespace

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  scan_all(scan, hits, counts);
}

}  // namespace snncore::kernels::avx512
