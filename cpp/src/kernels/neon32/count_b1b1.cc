#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {

inline constexpr size_t kCountPixels = 2, kCountVectors = 4, kSettle = 31;
inline constexpr bool kThirds = false;  // 16 vector registers
#include "kernels/body/counter_neon.inc"

#include "kernels/body/count_b1b1.inc"
}  // namespace

void count_b1b1_i32(const Patches& patches, const BitWeights& w, int32_t* sums) {
  count_patches(patches, w, sums);
}

}  // namespace snncore::kernels::neon32
