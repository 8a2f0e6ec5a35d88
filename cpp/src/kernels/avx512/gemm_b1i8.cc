#include "kernels/avx512/entries.h"
#include "kernels/avx512/spread_word.h"

namespace snncore::kernels::avx512 {
namespace {

class DotSums {
 public:
  static constexpr size_t kPlaces = 8, kTiles = 2;

  void add(const uint8_t* x, size_t pitch, const int8_t* weights, size_t groups) {
    for (size_t j = 0; j < groups; ++j, x += 4, weights += kVectorBytes) {
      const __m512i a = _mm512_load_si512(weights), b = _mm512_load_si512(weights + kDenseTile);
      for (size_t p = 0; p < kPlaces; ++p) {
        int32_t inputs;
        __builtin_memcpy(&inputs, x + p * pitch, 4);
        const __m512i spikes = _mm512_set1_epi32(inputs);
        sums_[p][0] = as32(_mm512_dpbusd_epi32(raw(sums_[p][0]), spikes, a));
        sums_[p][1] = as32(_mm512_dpbusd_epi32(raw(sums_[p][1]), spikes, b));
      }
    }
  }
  void leave(int32_t* to, size_t stride) const {
    for (size_t p = 0; p < kPlaces; ++p, to += stride) {
      for (size_t v = 0; v < kTiles; ++v) store(to + v * kLanes32, sums_[p][v]);
    }
  }

 private:
  I32 sums_[kPlaces][kTiles] = {};
};

#include "kernels/body/dense_places.inc"

#include "kernels/body/gemm_b1i8.inc"
}  // namespace

void gemm_b1i8_i32(const SpikeRaster& spikes, const DenseWeights& w, int32_t* sums, std::byte* scratch) {
  DenseSums(spikes, w, sums, scratch).run();
}

}  // namespace snncore::kernels::avx512
