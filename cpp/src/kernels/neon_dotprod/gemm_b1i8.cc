#include "kernels/neon/simd.h"
#include "kernels/neon_dotprod/entries.h"

namespace snncore::kernels::neon_dotprod {
namespace {

inline void spread_word(uint64_t word, uint8_t* to) {
  const uint8x16_t bits = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  for (size_t i = 0; i < 64; i += 16, word >>= 16, to += 16) {
    const uint8x8_t low = vdup_n_u8(static_cast<uint8_t>(word)),
                    high = vdup_n_u8(static_cast<uint8_t>(word >> 8));
    vst1q_u8(to, vshrq_n_u8(vtstq_u8(vcombine_u8(low, high), bits), 7));
  }
}

class DotSums {
 public:
  static constexpr size_t kPlaces = 4, kTiles = 1;

  // Four groups at a time: the others of a tile have weights of 0.
  void add(const uint8_t* x, size_t pitch, const int8_t* weights, size_t groups) {
    for (size_t j = 0; j < groups; j += 4, x += 16, weights += 4 * kGroup) {
      int8x16_t spikes[kPlaces];
      for (size_t p = 0; p < kPlaces; ++p) spikes[p] = vreinterpretq_s8_u8(vld1q_u8(x + p * pitch));
      add_group<0>(spikes, weights);
      add_group<1>(spikes, weights + kGroup);
      add_group<2>(spikes, weights + 2 * kGroup);
      add_group<3>(spikes, weights + 3 * kGroup);
    }
  }
  void leave(int32_t* to, size_t stride) const {
    for (size_t p = 0; p < kPlaces; ++p, to += stride) {
      for (size_t v = 0; v < kVectors; ++v) store(to + v * kLanes32, sums_[p][v]);
    }
  }

 private:
  static constexpr size_t kVectors = kDenseChannels / kLanes32, kGroup = 4 * kDenseChannels;

  template <int kLane>
  void add_group(const int8x16_t (&spikes)[kPlaces], const int8_t* weights) {
    for (size_t v = 0; v < kVectors; ++v) {
      const int8x16_t w = vld1q_s8(weights + v * kVectorBytes);
      for (size_t p = 0; p < kPlaces; ++p)
        sums_[p][v] = as32(vdotq_laneq_s32(raw(sums_[p][v]), w, spikes[p], kLane));
    }
  }

  I32 sums_[kPlaces][kVectors] = {};
};

#include "kernels/body/dense_places.inc"

#include "kernels/body/gemm_b1i8.inc"
}  // namespace

void gemm_b1i8_i32(const SpikeRaster& spikes, const DenseWeights& w, int32_t* sums, std::byte* scratch) {
  DenseSums(spikes, w, sums, scratch).run();
}

}  // namespace snncore::kernels::neon_dotprod
