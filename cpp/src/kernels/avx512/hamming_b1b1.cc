#include <immintrin.h>

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

// A prepared query byte: [query], four times each, so that a load can repeat it.
template <size_t Q>
struct Counts {
  __m512i sums[Q];

  void clear() {
    for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  }

  // Additions that saturate take twice as long on some CPUs: only sums of so many bytes are added with one.
  static constexpr size_t kPart = UINT8_MAX / 8;

  void add(const uint8_t* codes, const void* prepared, size_t from, size_t to) {
    const auto* queries = static_cast<const int32_t*>(prepared);
    for (; from < to; from += kPart) {
      __m512i parts[Q] = {};
      for (size_t byte = from; byte < to && byte < from + kPart; ++byte) {
        const __m512i code = _mm512_loadu_si512(codes + byte * kHammingBlock);
        for (size_t q = 0; q < Q; ++q) {
          const __m512i query = _mm512_set1_epi32(queries[byte * Q + q]);
          parts[q] = _mm512_add_epi8(parts[q], _mm512_popcnt_epi8(_mm512_xor_si512(code, query)));
        }
      }
      for (size_t q = 0; q < Q; ++q) sums[q] = _mm512_adds_epu8(sums[q], parts[q]);
    }
  }

  // Not zero where a code is below the limit.
  [[nodiscard]] __m512i room(size_t query, uint8_t limit) const {
    return _mm512_subs_epu8(_mm512_set1_epi8(static_cast<char>(limit)), sums[query]);
  }

  [[nodiscard]] bool below(size_t query, uint8_t limit) const {
    const __m512i any = room(query, limit);
    return _mm512_test_epi8_mask(any, any) != 0;
  }

  [[nodiscard]] bool any_below(const uint8_t (&limits)[Q]) const {
    __m512i any = room(0, limits[0]);
    for (size_t q = 1; q < Q; ++q) any = _mm512_or_si512(any, room(q, limits[q]));
    return _mm512_test_epi8_mask(any, any) != 0;
  }

  void store(size_t query, uint8_t* distances) const { _mm512_storeu_si512(distances, sums[query]); }
};

#include "kernels/body/hamming.inc"
}  // namespace

void prepare_hamming_b1(const uint8_t* queries, size_t stride, size_t count, size_t bytes, void* prepared) {
  auto* out = static_cast<uint32_t*>(prepared);
  for (size_t byte = 0; byte < bytes; ++byte) {
    for (size_t q = 0; q < count; ++q) *out++ = queries[q * stride + byte] * uint32_t{0x01010101};
  }
}

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  scan_any(scan, hits, counts);
}

}  // namespace snncore::kernels::avx512
