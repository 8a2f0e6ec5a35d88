#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
inline constexpr size_t kSparseVectors = 4;
#include "kernels/body/byte_planes.inc"
#include "kernels/body/pixel_lanes.inc"

#include "kernels/body/sparse_b1i8.inc"
}  // namespace

void sparse_b1i8_i32(const SpikeRaster& spikes, const SparseWeights& w, int32_t* sums, std::byte* scratch) {
  sparse_sums(spikes, w, sums, scratch);
}

void sparse_b1i8_lanes(const SpikeLanes& spikes, const SparseWeights& w, int16_t* lanes, size_t pitch,
                       std::byte* scratch) {
  sparse_lanes(spikes, w, lanes, pitch, scratch);
}

}  // namespace snncore::kernels::avx2
