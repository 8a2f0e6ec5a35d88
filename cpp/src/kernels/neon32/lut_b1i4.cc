#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {

inline constexpr size_t kLutWidth = 4, kLutPut = 4, kPlaceRows = 1;
inline constexpr size_t kLutVectors = 2;

// The 16 sums of four weights.
struct LutTable {
  int8x8x2_t table;

  static LutTable from(const int8_t* at) { return {{{vld1_s8(at), vld1_s8(at + 8)}}}; }
  [[nodiscard]] I8 at(I8 index) const {
    const int8x16_t i = raw(index);
    return reinterpret_cast<I8>(
        vcombine_s8(vtbl2_s8(table, vget_low_s8(i)), vtbl2_s8(table, vget_high_s8(i))));
  }
};

#include "kernels/body/pixel_lanes.inc"

#include "kernels/body/lut_b1i4.inc"
}  // namespace

void lut_b1i4_i32(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte* scratch) {
  lut_sums(spikes, w, sums, scratch);
}

}  // namespace snncore::kernels::neon32
