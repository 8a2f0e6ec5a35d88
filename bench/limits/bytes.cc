// Adding rows of bytes that come from the first-level cache: what the event gather is made of.
#include "limit.h"

namespace snncore::bench {
namespace {

#if defined(__x86_64__)

SNNCORE_LEVEL("avx2") void add_avx2(Lane& lane, size_t rounds) {
  const auto* rows = as<__m256i>(lane);
  __m256i sums[8] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 32; i += 8) {
#pragma GCC unroll 8
      for (size_t j = 0; j < 8; ++j) sums[j] = _mm256_add_epi8(sums[j], rows[i + j]);
    }
    end_round();
  }
  for (const __m256i& s : sums) keep(lane, s);
}

SNNCORE_LEVEL("avx512f,avx512bw") void add_avx512(Lane& lane, size_t rounds) {
  const auto* rows = as<__m512i>(lane);
  __m512i sums[8] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 64; i += 8) {
#pragma GCC unroll 8
      for (size_t j = 0; j < 8; ++j) sums[j] = _mm512_add_epi8(sums[j], rows[i + j]);
    }
    end_round();
  }
  for (const __m512i& s : sums) keep(lane, s);
}

#elif defined(__ARM_NEON)

void add_neon(Lane& lane, size_t rounds) {
  const auto* rows = as<uint8_t>(lane);
  uint8x16_t sums[8] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes; i += 128) {
#pragma GCC unroll 8
      for (size_t j = 0; j < 8; ++j) sums[j] = vaddq_u8(sums[j], vld1q_u8(rows + i + 16 * j));
    }
    end_round();
  }
  for (const uint8x16_t& s : sums) keep(lane, s);
}

#endif

// As the compiler makes it for any CPU of this architecture.
void add_scalar(Lane& lane, size_t rounds) {
  const auto* rows = as<uint8_t>(lane);
  uint8_t sums[64] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes; i += 64) {
      for (size_t j = 0; j < 64; ++j) sums[j] = static_cast<uint8_t>(sums[j] + rows[i + j]);
    }
    end_round();
  }
  keep(lane, sums);
}

}  // namespace

void add_bytes(std::vector<Limit>& limits) {
  limits.push_back({"byte_add", "scalar", "add/s", kL1Bytes, kL1Bytes, add_scalar});
#if defined(__x86_64__)
  if (has_avx2()) limits.push_back({"byte_add", "avx2", "add/s", kL1Bytes, kL1Bytes, add_avx2});
  if (has_avx512()) limits.push_back({"byte_add", "avx512", "add/s", kL1Bytes, kL1Bytes, add_avx512});
#elif defined(__ARM_NEON)
  limits.push_back({"byte_add", "neon", "add/s", kL1Bytes, kL1Bytes, add_neon});
#endif
}

}  // namespace snncore::bench
