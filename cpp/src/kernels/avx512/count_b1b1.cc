#include <algorithm>

#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

inline constexpr size_t kCountPixels = 8, kCountVectors = 2, kSettle = SIZE_MAX;
inline constexpr bool kThirds = true;

struct Counter {
  I32 sum;

  void add(U32 bits) { sum += as32(_mm512_popcnt_epi32(reinterpret_cast<__m512i>(bits))); }
  // Two popcounts for three words: their parity counts once, and what two or three of them have twice. That
  // is x where x and y are the same, else the third word, the opposite of the parity.
  void add_three(U32 x, U32 y, U32 parity) {
    constexpr int kMajority = 0xD4;
    const __m512i twice =
        _mm512_ternarylogic_epi32(reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(y),
                                  reinterpret_cast<__m512i>(parity), kMajority);
    add(parity);
    sum = as32(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), _mm512_popcnt_epi32(twice),
                                   _mm512_set1_epi32(2)));
  }
  void settle() {}
  [[nodiscard]] I32 total() const { return sum; }
};

#include "kernels/body/count_b1b1.inc"
}  // namespace

void prepare_count_b1(uint32_t* rows, size_t count, size_t pitch, size_t third) {
  constexpr int kParity = 0x96;
  for (size_t i = 0; i < third; i += kLanes32) {
    const auto lanes = static_cast<__mmask16>((uint32_t{1} << std::min(third - i, kLanes32)) - 1);
    // From the last row to the first: a masked store reaches into the row behind, whose load would wait for
    // it.
    for (size_t r = count; r-- > 0;) {
      uint32_t* row = rows + r * pitch + i;
      const __m512i x = _mm512_maskz_loadu_epi32(lanes, row),
                    y = _mm512_maskz_loadu_epi32(lanes, row + third);
      const __m512i z = _mm512_maskz_loadu_epi32(lanes, row + 2 * third);
      _mm512_mask_storeu_epi32(row + 2 * third, lanes, _mm512_ternarylogic_epi32(x, y, z, kParity));
    }
  }
}

void count_b1b1_i32(const Patches& patches, const BitWeights& w, int32_t* sums) {
  count_patches(patches, w, sums);
}

}  // namespace snncore::kernels::avx512
