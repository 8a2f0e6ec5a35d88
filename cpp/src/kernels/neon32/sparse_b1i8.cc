#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
inline constexpr size_t kSparseVectors = 4;
#include "kernels/body/byte_planes.inc"
#include "kernels/body/pixel_lanes.inc"

#include "kernels/body/sparse_b1i8.inc"
}  // namespace

void sparse_b1i8_i32(const SpikeRaster& spikes, const SparseWeights& w, int32_t* sums, std::byte* scratch) {
  sparse_sums(spikes, w, sums, scratch);
}

}  // namespace snncore::kernels::neon32
