// AND + popcount in a register tile: what a layer with 1-bit weights on spikes is made of. One spike word is
// broadcast, lanes are output channels.
#include "limit.h"

namespace snncore::bench {
namespace {

constexpr size_t kWords = kL1Bytes / 8;

#if defined(__x86_64__)
SNNCORE_LEVEL("popcnt")
#endif
void tile_scalar(Lane& lane, size_t rounds) {
  const auto* x = as<uint64_t>(lane);
  const uint64_t* w = x + kWords / 2;
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kWords / 2; i += 2) {
      a += static_cast<uint64_t>(__builtin_popcountll(x[i] & w[i]));
      b += static_cast<uint64_t>(__builtin_popcountll(x[i] & w[i + 1]));
      c += static_cast<uint64_t>(__builtin_popcountll(x[i + 1] & w[i]));
      d += static_cast<uint64_t>(__builtin_popcountll(x[i + 1] & w[i + 1]));
    }
    end_round();
  }
  lane.sink[0] = a + b + c + d;
}
constexpr double kScalarBits = kWords / 4.0 * 4 * 64;

#if defined(__x86_64__)

// No popcount of vectors: two look-ups of half bytes. 4 words of spikes against one vector of weights.
SNNCORE_LEVEL("avx2") void tile_table(Lane& lane, size_t rounds) {
  const auto* x = as<int64_t>(lane);
  const auto* w = as<__m256i>(lane) + kL1Bytes / 64;
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2,
                                          3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(15);
  __m256i sums[4] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 64; ++i) {
      const __m256i v = w[i];
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
        const __m256i both = _mm256_and_si256(v, _mm256_set1_epi64x(x[i + p]));
        const __m256i first = _mm256_shuffle_epi8(counts, _mm256_and_si256(both, low));
        const __m256i second = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(both, 4), low));
        sums[p] = _mm256_add_epi8(sums[p], _mm256_add_epi8(first, second));
      }
    }
    end_round();
  }
  for (const __m256i& s : sums) keep(lane, s);
}

// Carry-save adders count ones of eight words before one popcount: fewer operations a word.
struct Adder {
  __m256i sum, carry;
};
SNNCORE_LEVEL("avx2") inline Adder add3(__m256i a, __m256i b, __m256i c) {
  const __m256i u = _mm256_xor_si256(a, b);
  return {_mm256_xor_si256(u, c), _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(u, c))};
}

SNNCORE_LEVEL("avx2") inline __m256i and_at(const __m256i* w, const int64_t* x, size_t i) {
  return _mm256_and_si256(w[i], _mm256_set1_epi64x(x[i]));
}

SNNCORE_LEVEL("avx2") void tile_carry_save(Lane& lane, size_t rounds) {
  const auto* x = as<int64_t>(lane);
  const auto* w = as<__m256i>(lane) + kL1Bytes / 64;
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2,
                                          3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_set1_epi8(15);
  __m256i sums = _mm256_setzero_si256(), ones = sums, twos = sums, fours = sums;
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 64; i += 8) {
      const Adder a = add3(ones, and_at(w, x, i), and_at(w, x, i + 1));
      const Adder b = add3(a.sum, and_at(w, x, i + 2), and_at(w, x, i + 3));
      const Adder c = add3(b.sum, and_at(w, x, i + 4), and_at(w, x, i + 5));
      const Adder d = add3(c.sum, and_at(w, x, i + 6), and_at(w, x, i + 7));
      const Adder e = add3(twos, a.carry, b.carry), f = add3(e.sum, c.carry, d.carry);
      const Adder g = add3(fours, e.carry, f.carry);
      ones = d.sum, twos = f.sum, fours = g.sum;
      const __m256i first = _mm256_shuffle_epi8(counts, _mm256_and_si256(g.carry, low));
      const __m256i second =
          _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(g.carry, 4), low));
      sums = _mm256_add_epi8(sums, _mm256_add_epi8(first, second));
    }
    end_round();
  }
  keep(lane, _mm256_add_epi8(_mm256_add_epi8(sums, ones), _mm256_add_epi8(twos, fours)));
}

// 6 words of spikes against two vectors of weights.
SNNCORE_LEVEL("avx512f,avx512bw,avx512vpopcntdq") void tile_avx512(Lane& lane, size_t rounds) {
  const auto* x = as<int64_t>(lane);
  const auto* w = as<__m512i>(lane) + kL1Bytes / 128;
  __m512i sums[6][2] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 128; i += 2) {
      const __m512i v[2] = {w[i], w[i + 1]};
#pragma GCC unroll 6
      for (size_t p = 0; p < 6; ++p) {
        const __m512i spikes = _mm512_set1_epi64(x[i + p]);
#pragma GCC unroll 2
        for (size_t c = 0; c < 2; ++c) {
          sums[p][c] = _mm512_add_epi64(sums[p][c], _mm512_popcnt_epi64(_mm512_and_si512(v[c], spikes)));
        }
      }
    }
    end_round();
  }
  for (const auto& pair : sums) {
    keep(lane, pair[0]);
    keep(lane, pair[1]);
  }
}

// Three words of spikes ^ weights by two popcounts: their parity, which is the parity of the spikes ^ that of
// the weights, and twice what two or three of them have. A third word is never looked at.
SNNCORE_LEVEL("avx512f,avx512bw,avx512vpopcntdq,avx512vnni") void tile_parity(Lane& lane, size_t rounds) {
  constexpr size_t kThird = kL1Bytes / 2 / 3 / 128 * 2;  // vectors, two for each word
  const auto* x = as<int32_t>(lane);
  const auto* w = as<__m512i>(lane) + kL1Bytes / 128;
  const __m512i two = _mm512_set1_epi32(2);
  __m512i sums[8][2] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kThird; i += 2) {
      const __m512i *a = w + i, *b = a + kThird, *parity = b + kThird;
#pragma GCC unroll 8
      for (size_t p = 0; p < 8; ++p) {
        const int32_t* words = x + i / 2 + p;
        const __m512i s = _mm512_set1_epi32(words[0]), t = _mm512_set1_epi32(words[kThird]);
        const __m512i u = _mm512_set1_epi32(words[2 * kThird]);
#pragma GCC unroll 2
        for (size_t c = 0; c < 2; ++c) {
          const __m512i odd = _mm512_xor_si512(u, parity[c]);
          const __m512i most =
              _mm512_ternarylogic_epi32(_mm512_xor_si512(s, a[c]), _mm512_xor_si512(t, b[c]), odd, 0xD4);
          sums[p][c] = _mm512_add_epi32(sums[p][c], _mm512_popcnt_epi32(odd));
          sums[p][c] = _mm512_dpbusd_epi32(sums[p][c], _mm512_popcnt_epi32(most), two);
        }
      }
    }
    end_round();
  }
  for (const auto& pair : sums) {
    keep(lane, pair[0]);
    keep(lane, pair[1]);
  }
}
constexpr double kParityBits = kL1Bytes / 2 / 3 / 128 * 3.0 * 16 * 512;

#elif defined(__ARM_NEON)

// 4 words of spikes against two vectors of weights; bytes are widened once in 31 words.
void tile_neon(Lane& lane, size_t rounds) {
  const auto* x = as<uint64_t>(lane);
  const auto* w = as<uint8_t>(lane) + kL1Bytes / 2;
  uint8x16_t bytes[4][2] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kL1Bytes / 64; ++i) {
      const uint8x16_t v[2] = {vld1q_u8(w + 32 * i), vld1q_u8(w + 32 * i + 16)};
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
        const uint8x16_t spikes = vreinterpretq_u8_u64(vdupq_n_u64(x[i + p]));
        bytes[p][0] = vaddq_u8(bytes[p][0], vcntq_u8(vandq_u8(v[0], spikes)));
        bytes[p][1] = vaddq_u8(bytes[p][1], vcntq_u8(vandq_u8(v[1], spikes)));
      }
    }
    end_round();
  }
  for (const auto& pair : bytes) {
    keep(lane, pair[0]);
    keep(lane, pair[1]);
  }
}

#endif

}  // namespace

void add_popcount(std::vector<Limit>& limits) {
  limits.push_back({"and_popcount", "scalar", "bit/s", kL1Bytes, kScalarBits, tile_scalar});
#if defined(__x86_64__)
  if (has_avx2()) {
    limits.push_back({"and_popcount", "avx2", "bit/s", kL1Bytes, kL1Bytes / 64.0 * 4 * 256, tile_table});
    limits.push_back(
        {"and_popcount_carry_save", "avx2", "bit/s", kL1Bytes, kL1Bytes / 64.0 * 256, tile_carry_save});
  }
  if (has_avx512()) {
    limits.push_back({"and_popcount", "avx512", "bit/s", kL1Bytes, kL1Bytes / 256.0 * 12 * 512, tile_avx512});
    limits.push_back({"and_popcount_parity", "avx512", "bit/s", kL1Bytes, kParityBits, tile_parity});
  }
#elif defined(__ARM_NEON)
  limits.push_back({"and_popcount", "neon", "bit/s", kL1Bytes, kL1Bytes / 64.0 * 8 * 128, tile_neon});
#endif
}

}  // namespace snncore::bench
