#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {

inline constexpr size_t kCountPixels = 8, kCountVectors = 2, kSettle = SIZE_MAX;

struct Counter {
  I32 sum;

  void add(U32 bits) { sum += as32(_mm512_popcnt_epi32(reinterpret_cast<__m512i>(bits))); }
  void settle() {}
  [[nodiscard]] I32 total() const { return sum; }
};

#include "kernels/body/count_b1b1.inc"
}  // namespace

void count_b1b1_i32(const Patches& patches, const BitWeights& w, int32_t* sums) {
  count_patches(patches, w, sums);
}

}  // namespace snncore::kernels::avx512
