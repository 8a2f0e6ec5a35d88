#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

inline constexpr size_t kLutVectors = 4;

// The 16 sums of four weights.
struct Sums16 {
  __m512i table;

  static Sums16 from(const int8_t* at) {
    return {_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(at)))};
  }
  [[nodiscard]] I8 at(I8 index) const {
    return reinterpret_cast<I8>(_mm512_shuffle_epi8(table, reinterpret_cast<__m512i>(index)));
  }
};

#include "kernels/body/pixel_lanes.inc"

#include "kernels/body/lut_b1i4.inc"
}  // namespace

void lut_b1i4_i32(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte* scratch) {
  lut_sums(spikes, w, sums, scratch);
}

}  // namespace snncore::kernels::avx512
