#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {

inline constexpr size_t kCountPixels = 4, kCountVectors = 2, kSettle = 31;
inline constexpr bool kThirds = false;

using U8 = VectorOf<uint8_t>::Type;

// Counts of bytes, from a table of half bytes; a byte holds those of 31 words.
struct Counter {
  I32 sum;
  U8 bytes;  // up to 31 * 8

  void add(U32 bits) {
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                           0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i half = _mm256_set1_epi8(15), x = reinterpret_cast<__m256i>(bits);
    const __m256i low = _mm256_shuffle_epi8(table, _mm256_and_si256(x, half));
    const __m256i high = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), half));
    bytes += reinterpret_cast<U8>(_mm256_add_epi8(low, high));
  }
  void settle() {
    const __m256i pairs = _mm256_maddubs_epi16(reinterpret_cast<__m256i>(bytes), _mm256_set1_epi8(1));
    sum += as32(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    bytes = U8{};
  }
  [[nodiscard]] I32 total() const {
    Counter last = *this;
    last.settle();
    return last.sum;
  }
};

#include "kernels/body/count_b1b1.inc"
}  // namespace

void count_b1b1_i32(const Patches& patches, const BitWeights& w, int32_t* sums) {
  count_patches(patches, w, sums);
}

}  // namespace snncore::kernels::avx2
