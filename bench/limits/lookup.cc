// Table look-up and add: sums of 4 (6) weights for any 4 (6) spikes. Lanes are pixels; a table comes from the
// first-level cache and serves four vectors of indices. One look-up counts as 4 (6) multiply-adds.
#include "limit.h"

namespace snncore::bench {
namespace {

#if defined(__x86_64__)

SNNCORE_LEVEL("avx2") void lookup_avx2(Lane& lane, size_t rounds) {
  const auto* tables = as<__m128i>(lane);
  const __m256i low = _mm256_set1_epi8(15);
  __m256i index[4], sums[4] = {};
  for (size_t p = 0; p < 4; ++p) index[p] = _mm256_and_si256(as<__m256i>(lane)[p], low);
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 16; ++i) {
      const __m256i table = _mm256_broadcastsi128_si256(tables[i]);
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) sums[p] = _mm256_add_epi8(sums[p], _mm256_shuffle_epi8(table, index[p]));
    }
    end_round();
  }
  for (const __m256i& s : sums) keep(lane, s);
}

// GCC 12's own header warns of a register that is deliberately undefined.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
SNNCORE_LEVEL("avx512f,avx512bw,avx512vbmi") void lookup_avx512(Lane& lane, size_t rounds) {
  const auto* tables = as<__m512i>(lane);
  __m512i index[4], sums[4] = {};
  for (size_t p = 0; p < 4; ++p) index[p] = as<__m512i>(lane)[p];
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 64; ++i) {
      const __m512i table = tables[i];
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p)
        sums[p] = _mm512_add_epi8(sums[p], _mm512_permutexvar_epi8(index[p], table));
    }
    end_round();
  }
  for (const __m512i& s : sums) keep(lane, s);
}

#elif defined(__aarch64__)

void lookup_neon(Lane& lane, size_t rounds) {
  const auto* tables = as<uint8_t>(lane);
  uint8x16_t index[4], sums[4] = {};
  for (size_t p = 0; p < 4; ++p) index[p] = vandq_u8(vld1q_u8(tables + 16 * p), vdupq_n_u8(15));
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 16; ++i) {
      const uint8x16_t table = vld1q_u8(tables + 16 * i);
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) sums[p] = vaddq_u8(sums[p], vqtbl1q_u8(table, index[p]));
    }
    end_round();
  }
  for (const uint8x16_t& s : sums) keep(lane, s);
}

#endif

}  // namespace

void add_lookup([[maybe_unused]] std::vector<Limit>& limits) {
#if defined(__x86_64__)
  if (has_avx2()) {
    limits.push_back({"lookup_add", "avx2", "mac/s", kL1Bytes, kL1Bytes / 16.0 * 4 * 32 * 4, lookup_avx2});
  }
  if (has_avx512()) {
    limits.push_back(
        {"lookup_add", "avx512", "mac/s", kL1Bytes, kL1Bytes / 64.0 * 4 * 64 * 6, lookup_avx512});
  }
#elif defined(__aarch64__)
  limits.push_back({"lookup_add", "neon", "mac/s", kL1Bytes, kL1Bytes / 16.0 * 4 * 16 * 4, lookup_neon});
#endif
}

}  // namespace snncore::bench
