// Without VNNI: pairs of weights meet in int16, which cannot saturate while inputs are 0 and 1, and the
// groups of a tile, at most 16 of them, do too.
#include "kernels/avx2/entries.h"
#include "kernels/avx2/simd.h"

namespace snncore::kernels::avx2 {
namespace {

inline void spread_word(uint64_t word, uint8_t* to) {
  const __m256i byte = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  for (size_t half = 0; half < 2; ++half, word >>= 32, to += kVectorBytes) {
    const __m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(word)), byte);
    const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_abs_epi8(set));
  }
}

class DotSums {
 public:
  static constexpr size_t kPlaces = 4, kTiles = 1;

  void add(const uint8_t* x, size_t pitch, const int8_t* weights, size_t groups) {
    __m256i pairs[kPlaces][kVectors] = {};  // of places that are no pixel they may wrap
    for (size_t j = 0; j < groups; ++j, x += 4, weights += kVectors * kVectorBytes) {
      const __m256i a = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
      const __m256i b = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights + kVectorBytes));
      for (size_t p = 0; p < kPlaces; ++p) {
        int32_t inputs;
        __builtin_memcpy(&inputs, x + p * pitch, 4);
        const __m256i spikes = _mm256_set1_epi32(inputs);
        pairs[p][0] = _mm256_add_epi16(pairs[p][0], _mm256_maddubs_epi16(spikes, a));
        pairs[p][1] = _mm256_add_epi16(pairs[p][1], _mm256_maddubs_epi16(spikes, b));
      }
    }
    for (size_t p = 0; p < kPlaces; ++p) {
      for (size_t v = 0; v < kVectors; ++v)
        sums_[p][v] += as32(_mm256_madd_epi16(pairs[p][v], _mm256_set1_epi16(1)));
    }
  }
  void leave(int32_t* to, size_t stride) const {
    for (size_t p = 0; p < kPlaces; ++p, to += stride) {
      for (size_t v = 0; v < kVectors; ++v) store(to + v * kLanes32, sums_[p][v]);
    }
  }

 private:
  static constexpr size_t kVectors = kDenseChannels / kLanes32;

  I32 sums_[kPlaces][kVectors] = {};
};

#include "kernels/body/dense_places.inc"

#include "kernels/body/gemm_b1i8.inc"
}  // namespace

void gemm_b1i8_i32(const SpikeRaster& spikes, const DenseWeights& w, int32_t* sums, std::byte* scratch) {
  DenseSums(spikes, w, sums, scratch).run();
}

}  // namespace snncore::kernels::avx2
