#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

inline constexpr size_t kLutWidth = 6, kLutPut = 16, kPlaceRows = 1;
inline constexpr size_t kLutVectors = 4;

// Which sum of the last three weights belongs to each of the 64.
struct LastThree {
  uint8_t from[64] = {};

  constexpr LastThree() {
    for (size_t i = 0; i < 64; ++i) from[i] = static_cast<uint8_t>(8 + i / 8);
  }
};
alignas(64) constexpr LastThree kLastThree;

// The 64 sums of six weights, put together from the eight of the first three and the eight of the others:
// they stay in the second-level cache where 64 would not.
struct LutTable {
  __m512i sums;

  static LutTable from(const int8_t* at) {
    int64_t first;
    __builtin_memcpy(&first, at, sizeof(first));
    const __m512i all = _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(at)));
    const __m512i others = _mm512_shuffle_epi8(all, _mm512_load_si512(kLastThree.from));
    return {_mm512_add_epi8(_mm512_set1_epi64(first), others)};
  }
  [[nodiscard]] I8 at(I8 index) const {
    return reinterpret_cast<I8>(_mm512_permutexvar_epi8(reinterpret_cast<__m512i>(index), sums));
  }
};

#include "kernels/body/pixel_lanes.inc"

#include "kernels/body/lut_b1i4.inc"
}  // namespace

void lut_b1i4_i32(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte* scratch) {
  lut_sums(spikes, w, sums, scratch);
}

void lut_b1i4_lanes(const SpikeLanes& spikes, const LutWeights& w, int16_t* lanes, size_t pitch,
                    std::byte* scratch) {
  lut_lanes(spikes, w, lanes, pitch, scratch);
}

}  // namespace snncore::kernels::avx512
