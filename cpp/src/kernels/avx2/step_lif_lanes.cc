#include "kernels/avx2/entries.h"
#include "kernels/avx2/simd.h"

namespace snncore::kernels::avx2 {
namespace {

// Bytes lie as packed masks do.
using LaneBits = I8;

template <size_t kVectors>
inline LaneBits lane_bits(const Mask16 (&quiet)[kVectors]) {
  return reinterpret_cast<I8>(_mm256_packs_epi16(raw(quiet[0]), raw(quiet[kVectors - 1])));
}

inline I8 add_spikes(I8 bytes, LaneBits quiet, I8 bit) { return bytes | (~quiet & bit); }

inline I8 bytes_in_order(I8 bytes) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return reinterpret_cast<I8>(_mm256_permutevar8x32_epi32(raw(bytes), order));
}

inline I8 narrow_in_order(I8 bytes) {
  return reinterpret_cast<I8>(_mm256_permute4x64_epi64(raw(bytes), 0xd8));
}

inline I32 add_where(I32 bits, I32 v, I32 k) { return as32(_mm256_add_epi32(raw(v), raw(k & (bits != 0)))); }

#include "kernels/body/step_16.inc"
#include "kernels/body/step_lif_lanes.inc"
}  // namespace

void step_lif_i8_lanes(const LifTile& tile, const LaneSums& sums) { step_lanes<true>(tile, sums); }
void step_lif_i16_lanes(const LifTile& tile, const LaneSums& sums) { step_lanes<false>(tile, sums); }

}  // namespace snncore::kernels::avx2
