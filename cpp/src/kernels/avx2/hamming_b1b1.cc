#include <immintrin.h>

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {

// For the low and the high half of each byte of a query: how many bits differ from a half of a code's byte.
// Looked up by pshufb, the XOR is part of the table, and what is left for 4 bits of 32 codes is a look-up and
// an addition.
struct Tables {
  alignas(64) uint8_t differing[256][2][16];

  constexpr Tables() : differing() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (unsigned code = 0; code < 16; ++code) {
        differing[byte][0][code] = count((byte & 15) ^ code);
        differing[byte][1][code] = count((byte >> 4) ^ code);
      }
    }
  }
  static constexpr uint8_t count(unsigned x) {
    return static_cast<uint8_t>((x & 1) + (x >> 1 & 1) + (x >> 2 & 1) + (x >> 3 & 1));
  }
};

constexpr Tables kTables;

inline __m256i load(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

inline __m256i table(uint32_t query, size_t half) {
  const uint8_t* from = kTables.differing[query & 255][half];
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
}

constexpr size_t kTile = 4;

template <size_t Q>
struct Counts {
  __m256i sums[Q][2];

  void clear() {
    for (auto& pair : sums) pair[0] = pair[1] = _mm256_setzero_si256();
  }

  void add(const uint8_t* codes, const uint32_t* const (&queries)[Q], size_t from, size_t to) {
    const __m256i low = _mm256_set1_epi8(15);
    for (size_t byte = from; byte < to; ++byte) {
      __m256i a = load(codes + byte * kCodeBlock), b = load(codes + byte * kCodeBlock + 32);
      add_half(queries, byte, 0, _mm256_and_si256(a, low), _mm256_and_si256(b, low));
      __asm__("" : "+x"(a), "+x"(b));
      a = _mm256_srli_epi16(a, 4);
      b = _mm256_srli_epi16(b, 4);
      add_half(queries, byte, 1, _mm256_and_si256(a, low), _mm256_and_si256(b, low));
    }
  }

  void add_half(const uint32_t* const (&queries)[Q], size_t byte, size_t half, __m256i a, __m256i b) {
#pragma GCC unroll 4
    for (size_t q = 0; q < Q; ++q) {
      const __m256i t = table(queries[q][byte], half);
      sums[q][0] = _mm256_adds_epu8(sums[q][0], _mm256_shuffle_epi8(t, a));
      sums[q][1] = _mm256_adds_epu8(sums[q][1], _mm256_shuffle_epi8(t, b));
    }
  }

  bool any_below(const uint8_t (&limits)[Q]) const {
    __m256i room = _mm256_setzero_si256();
    for (size_t q = 0; q < Q; ++q) {
      const __m256i limit = _mm256_set1_epi8(static_cast<char>(limits[q]));
      const __m256i least = _mm256_min_epu8(sums[q][0], sums[q][1]);
      room = _mm256_or_si256(room, _mm256_subs_epu8(limit, least));
    }
    return _mm256_testz_si256(room, room) == 0;
  }

  void store(size_t query, uint8_t* distances) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(distances), sums[query][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(distances + 32), sums[query][1]);
  }
};

#include "kernels/body/hamming.inc"
}  // namespace

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  scan_all(scan, hits, counts);
}

}  // namespace snncore::kernels::avx2
