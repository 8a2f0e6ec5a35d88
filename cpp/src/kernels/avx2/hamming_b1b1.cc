#include <immintrin.h>

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {

// Counting by table, for two queries at a time: entry x of a table says in how many bits x differs from 4
// bits of the first query and, 16 times, of the second. The exclusive or costs nothing, and a look-up counts
// 4 bits of 32 codes for both. Three such counts fit a byte before its halves are taken apart.
struct Tables {
  alignas(64) uint8_t differing[256][16];

  constexpr Tables() : differing() {
    for (unsigned pair = 0; pair < 256; ++pair) {
      for (unsigned x = 0; x < 16; ++x) {
        differing[pair][x] = static_cast<uint8_t>(bits((pair & 15) ^ x) + 16 * bits((pair >> 4) ^ x));
      }
    }
  }
  static constexpr unsigned bits(unsigned x) { return (x & 1) + (x >> 1 & 1) + (x >> 2 & 1) + (x >> 3 & 1); }
};

constexpr Tables kTables;

constexpr size_t kLanes = 32, kHalves = kHammingBlock / kLanes;
constexpr size_t kStep = 3;  // bytes of a code that make two times three look-ups

inline __m256i load(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// A prepared query byte: [low, high half][pair] tables.
template <size_t Q>
struct Counts {
  static constexpr size_t kPairs = (Q + 1) / 2;
  struct Sums {
    __m256i first[kPairs], second[kPairs];
  };
  Sums sums[kHalves];

  void clear() {
    for (Sums& s : sums) {
      for (size_t p = 0; p < kPairs; ++p) s.first[p] = s.second[p] = _mm256_setzero_si256();
    }
  }

  void add(const uint8_t* codes, const void* prepared, size_t from, size_t to) {
    const auto* tables = static_cast<const __m128i*>(prepared) + from * 2 * kPairs;
    for (size_t half = 0; half < kHalves; ++half) {
      add_half(codes + from * kHammingBlock + half * kLanes, tables, to - from, sums[half]);
    }
  }

  static void add_half(const uint8_t* codes, const __m128i* tables, size_t bytes, Sums& kept) {
    const __m256i low = _mm256_set1_epi8(15);
    Sums s = kept;
    for (; bytes >= kStep; bytes -= kStep, codes += kStep * kHammingBlock, tables += 2 * kStep * kPairs) {
      __m256i a = load(codes), b = load(codes + kHammingBlock), c = load(codes + 2 * kHammingBlock);
      look_up<3>({a & low, _mm256_srli_epi16(a, 4) & low, b & low}, tables, s);
      __asm__("" : "+x"(b), "+x"(c));  // one after the other: registers suffice for one
      look_up<3>({_mm256_srli_epi16(b, 4) & low, c & low, _mm256_srli_epi16(c, 4) & low}, tables + 3 * kPairs,
                 s);
    }
    for (; bytes > 0; --bytes, codes += kHammingBlock, tables += 2 * kPairs) {
      const __m256i a = load(codes);
      look_up<2>({a & low, _mm256_srli_epi16(a, 4) & low}, tables, s);
    }
    kept = s;
  }

  // N times 4 bits.
  template <size_t N>
  static void look_up(const __m256i (&bits)[N], const __m128i* tables, Sums& s) {
    const __m256i low = _mm256_set1_epi8(15);
#pragma GCC unroll 4
    for (size_t p = 0; p < kPairs; ++p) {
      __m256i both = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(tables[p]), bits[0]);
#pragma GCC unroll 3
      for (size_t i = 1; i < N; ++i) {
        const __m256i table = _mm256_broadcastsi128_si256(tables[i * kPairs + p]);
        both = _mm256_add_epi8(both, _mm256_shuffle_epi8(table, bits[i]));
      }
      s.first[p] = _mm256_adds_epu8(s.first[p], both & low);
      s.second[p] = _mm256_adds_epu8(s.second[p], _mm256_srli_epi16(both, 4) & low);
    }
  }

  [[nodiscard]] __m256i sum(size_t half, size_t query) const {
    return query % 2 == 0 ? sums[half].first[query / 2] : sums[half].second[query / 2];
  }

  // Not zero where a code is below the limit.
  [[nodiscard]] __m256i room(size_t query, uint8_t limit) const {
    const __m256i least = _mm256_min_epu8(sum(0, query), sum(1, query));
    return _mm256_subs_epu8(_mm256_set1_epi8(static_cast<char>(limit)), least);
  }

  [[nodiscard]] bool below(size_t query, uint8_t limit) const {
    const __m256i any = room(query, limit);
    return _mm256_testz_si256(any, any) == 0;
  }

  [[nodiscard]] bool any_below(const uint8_t (&limits)[Q]) const {
    __m256i any = room(0, limits[0]);
    for (size_t q = 1; q < Q; ++q) any |= room(q, limits[q]);
    return _mm256_testz_si256(any, any) == 0;
  }

  void store(size_t query, uint8_t* distances) const {
    for (size_t half = 0; half < kHalves; ++half) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(distances + half * kLanes), sum(half, query));
    }
  }
};

#include "kernels/body/hamming.inc"
}  // namespace

// An odd query is paired with itself.
void prepare_hamming_b1(const uint8_t* queries, size_t stride, size_t count, size_t bytes, void* prepared) {
  auto* tables = static_cast<__m128i*>(prepared);
  for (size_t byte = 0; byte < bytes; ++byte) {
    for (size_t half = 0; half < 2; ++half) {
      for (size_t q = 0; q < count; q += 2) {
        const unsigned first = queries[q * stride + byte];
        const unsigned second = queries[(q + 1 < count ? q + 1 : q) * stride + byte];
        const unsigned pair = half == 0 ? (first & 15) | (second & 15) << 4 : first >> 4 | (second & 0xf0);
        _mm_store_si128(tables++, _mm_load_si128(reinterpret_cast<const __m128i*>(kTables.differing[pair])));
      }
    }
  }
}

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  scan_any(scan, hits, counts);
}

}  // namespace snncore::kernels::avx2
