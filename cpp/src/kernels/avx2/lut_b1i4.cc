#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {

inline constexpr size_t kLutWidth = 4, kLutPut = 4, kPlaceRows = 1;
inline constexpr size_t kLutVectors = 2;

// The 16 sums of four weights.
struct LutTable {
  __m256i table;

  static LutTable from(const int8_t* at) {
    return {_mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(at)))};
  }
  [[nodiscard]] I8 at(I8 index) const { return reinterpret_cast<I8>(_mm256_shuffle_epi8(table, raw(index))); }
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

}  // namespace snncore::kernels::avx2
