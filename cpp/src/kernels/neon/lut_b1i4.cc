#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {

inline constexpr size_t kLutWidth = 4, kLutPut = 4, kPlaceRows = 1;
inline constexpr size_t kLutVectors = 4;

// The 16 sums of four weights.
struct LutTable {
  int8x16_t table;

  static LutTable from(const int8_t* at) { return {vld1q_s8(at)}; }
  [[nodiscard]] I8 at(I8 index) const {
    return reinterpret_cast<I8>(vqtbl1q_s8(table, reinterpret_cast<uint8x16_t>(index)));
  }
};

#include "kernels/body/pixel_lanes.inc"

#include "kernels/body/lut_b1i4.inc"
}  // namespace

void lut_b1i4_i32(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte* scratch) {
  lut_sums(spikes, w, sums, scratch);
}

}  // namespace snncore::kernels::neon
