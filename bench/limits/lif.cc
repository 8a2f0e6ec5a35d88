// A leaky integrate-and-fire step in int16, four steps with the membrane in registers: halve, add, compare,
// reset to zero, one bit out. Currents come from the first-level cache.
#include "limit.h"

namespace snncore::bench {
namespace {

constexpr size_t kSteps = 4, kNeurons = kL1Bytes / 2 / kSteps;
constexpr int16_t kThreshold = 9000;

void lif_scalar(Lane& lane, size_t rounds) {
  const auto* currents = as<int16_t>(lane);
  uint8_t fired[kNeurons];
  for (size_t r = 0; r < rounds; ++r) {
    int16_t v[kNeurons] = {};
    for (size_t t = 0; t < kSteps; ++t) {
      for (size_t i = 0; i < kNeurons; ++i) {
        const int h = (v[i] >> 1) + currents[t * kNeurons + i];
        fired[i] = h >= kThreshold;
        v[i] = static_cast<int16_t>(h >= kThreshold ? 0 : h);
      }
      end_round();
    }
    lane.sink[r % 8] = fired[r % kNeurons];
  }
}

#if defined(__x86_64__)

SNNCORE_LEVEL("avx2") void lif_avx2(Lane& lane, size_t rounds) {
  const auto* currents = as<__m256i>(lane);
  const __m256i below = _mm256_set1_epi16(kThreshold - 1);
  constexpr size_t kStep = kNeurons / 16;
  uint32_t bits[kSteps][kNeurons / 32];
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kStep; i += 2) {
      __m256i v[2] = {};
#pragma GCC unroll 4
      for (size_t t = 0; t < kSteps; ++t) {
        __m256i s[2];
#pragma GCC unroll 2
        for (size_t j = 0; j < 2; ++j) {
          const __m256i h = _mm256_adds_epi16(_mm256_srai_epi16(v[j], 1), currents[t * kStep + i + j]);
          s[j] = _mm256_cmpgt_epi16(h, below);
          v[j] = _mm256_andnot_si256(s[j], h);
        }
        const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(s[0], s[1]), 0xd8);
        bits[t][i / 2] = static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
      }
    }
    end_round();
    lane.sink[r % 8] = bits[r % kSteps][r % (kNeurons / 32)];
  }
}

SNNCORE_LEVEL("avx512f,avx512bw") void lif_avx512(Lane& lane, size_t rounds) {
  const auto* currents = as<__m512i>(lane);
  const __m512i threshold = _mm512_set1_epi16(kThreshold);
  constexpr size_t kStep = kNeurons / 32;
  uint32_t bits[kSteps][kStep];
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kStep; ++i) {
      __m512i v = _mm512_setzero_si512();
#pragma GCC unroll 4
      for (size_t t = 0; t < kSteps; ++t) {
        const __m512i h = _mm512_adds_epi16(_mm512_srai_epi16(v, 1), currents[t * kStep + i]);
        const __mmask32 s = _mm512_cmpge_epi16_mask(h, threshold);
        v = _mm512_maskz_mov_epi16(static_cast<__mmask32>(~s), h);
        bits[t][i] = s;
      }
    }
    end_round();
    lane.sink[r % 8] = bits[r % kSteps][r % kStep];
  }
}

#elif defined(__aarch64__)

void lif_neon(Lane& lane, size_t rounds) {
  const auto* currents = as<int16_t>(lane);
  const int16x8_t threshold = vdupq_n_s16(kThreshold);
  const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint16_t bits[kSteps][kNeurons / 16];
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < kNeurons; i += 16) {
      int16x8_t v[2] = {vdupq_n_s16(0), vdupq_n_s16(0)};
#pragma GCC unroll 4
      for (size_t t = 0; t < kSteps; ++t) {
        uint16x8_t s[2];
#pragma GCC unroll 2
        for (size_t j = 0; j < 2; ++j) {
          const int16x8_t h =
              vqaddq_s16(vshrq_n_s16(v[j], 1), vld1q_s16(currents + t * kNeurons + i + 8 * j));
          s[j] = vcgeq_s16(h, threshold);
          v[j] = vbicq_s16(h, vreinterpretq_s16_u16(s[j]));
        }
        uint8x16_t b = vandq_u8(vcombine_u8(vmovn_u16(s[0]), vmovn_u16(s[1])), weights);
        b = vpaddq_u8(b, b), b = vpaddq_u8(b, b), b = vpaddq_u8(b, b);
        bits[t][i / 16] = vgetq_lane_u16(vreinterpretq_u16_u8(b), 0);
      }
    }
    end_round();
    lane.sink[r % 8] = bits[r % kSteps][r % (kNeurons / 16)];
  }
}

#endif

constexpr double kNeuronSteps = kNeurons * kSteps;

}  // namespace

void add_lif(std::vector<Limit>& limits) {
  limits.push_back({"lif_i16", "scalar", "neuron step/s", kL1Bytes, kNeuronSteps, lif_scalar});
#if defined(__x86_64__)
  if (has_avx2()) limits.push_back({"lif_i16", "avx2", "neuron step/s", kL1Bytes, kNeuronSteps, lif_avx2});
  if (has_avx512())
    limits.push_back({"lif_i16", "avx512", "neuron step/s", kL1Bytes, kNeuronSteps, lif_avx512});
#elif defined(__aarch64__)
  limits.push_back({"lif_i16", "neon", "neuron step/s", kL1Bytes, kNeuronSteps, lif_neon});
#endif
}

}  // namespace snncore::bench
