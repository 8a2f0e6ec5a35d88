#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {

inline constexpr size_t kCountPixels = 4, kCountVectors = 4, kSettle = 31;
inline constexpr bool kThirds = false;
#include "kernels/body/counter_neon.inc"

#include "kernels/body/count_b1b1.inc"
}  // namespace

void count_b1b1_i32(const Patches& patches, const BitWeights& w, int32_t* sums) {
  count_patches(patches, w, sums);
}

}  // namespace snncore::kernels::neon
