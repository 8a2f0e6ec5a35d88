// u8 x s8 dot products into int32: where engines for int8 end. One vector of weights serves four of bytes.
#include "limit.h"

namespace snncore::bench {
namespace {

#if defined(__x86_64__)

SNNCORE_LEVEL("avx2") void dot_avx2(Lane& lane, size_t rounds) {
  const auto* w = as<__m256i>(lane);
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[4] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i + 4 <= kL1Bytes / 32; ++i) {
      const __m256i v = w[i];
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
        const __m256i pairs = _mm256_maddubs_epi16(w[(i ^ 64) + p], v);
        sums[p] = _mm256_add_epi32(sums[p], _mm256_madd_epi16(pairs, ones));
      }
    }
    end_round();
  }
  for (const __m256i& s : sums) keep(lane, s);
}
constexpr double kAvx2Macs = (kL1Bytes / 32 - 3) * 4 * 32.0;

SNNCORE_LEVEL("avx512f,avx512bw,avx512vnni") void dot_avx512(Lane& lane, size_t rounds) {
  const auto* w = as<__m512i>(lane);
  __m512i sums[4][4] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 64; i += 8) {
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
#pragma GCC unroll 4
        for (size_t c = 0; c < 4; ++c) sums[p][c] = _mm512_dpbusd_epi32(sums[p][c], w[i + 4 + p], w[i + c]);
      }
    }
    end_round();
  }
  for (const auto& row : sums) {
    for (const __m512i& s : row) keep(lane, s);
  }
}

#elif defined(__aarch64__)

void dot_neon(Lane& lane, size_t rounds) {
  const auto* w = as<int8_t>(lane);
  int32x4_t sums[4] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes; i += 80) {
      const int8x16_t v = vld1q_s8(w + i);
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
        const int8x16_t x = vld1q_s8(w + i + 16 + 16 * p);
        int16x8_t pairs = vmull_s8(vget_low_s8(v), vget_low_s8(x));
        sums[p] = vpadalq_s16(sums[p], pairs);
        pairs = vmull_high_s8(v, x);
        sums[p] = vpadalq_s16(sums[p], pairs);
      }
    }
    end_round();
  }
  for (const int32x4_t& s : sums) keep(lane, s);
}

__attribute__((target("arch=armv8.2-a+dotprod"))) void dot_dotprod(Lane& lane, size_t rounds) {
  const auto* w = as<int8_t>(lane);
  int32x4_t sums[4][4] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes; i += 128) {
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
#pragma GCC unroll 4
        for (size_t c = 0; c < 4; ++c)
          sums[p][c] = vdotq_s32(sums[p][c], vld1q_s8(w + i + 64 + 16 * p), vld1q_s8(w + i + 16 * c));
      }
    }
    end_round();
  }
  for (const auto& row : sums) {
    for (const int32x4_t& s : row) keep(lane, s);
  }
}

#endif

}  // namespace

void add_dot([[maybe_unused]] std::vector<Limit>& limits) {
#if defined(__x86_64__)
  if (has_avx2()) limits.push_back({"dot_u8i8", "avx2", "mac/s", kL1Bytes, kAvx2Macs, dot_avx2});
  if (has_avx512()) {
    limits.push_back({"dot_u8i8", "avx512", "mac/s", kL1Bytes, kL1Bytes / 512.0 * 16 * 64, dot_avx512});
  }
#elif defined(__aarch64__)
  constexpr size_t kRows = (kL1Bytes + 79) / 80;
  limits.push_back({"dot_u8i8", "neon", "mac/s", kL1Bytes, kRows * 4 * 16.0, dot_neon});
  if (has_dotprod()) {
    limits.push_back(
        {"dot_u8i8", "neon_dotprod", "mac/s", kL1Bytes, kL1Bytes / 128.0 * 16 * 16, dot_dotprod});
  }
#endif
}

}  // namespace snncore::bench
