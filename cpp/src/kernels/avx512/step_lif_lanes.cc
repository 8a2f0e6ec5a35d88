#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {
namespace {

// Bytes lie as the masks do: those of each vector in the order of `narrow`.
using LaneBits = __mmask64;

template <size_t kVectors>
inline LaneBits lane_bits(const Mask16 (&quiet)[kVectors]) {
  return _mm512_kunpackd(quiet[kVectors - 1].lanes, quiet[0].lanes);
}

inline I8 add_spikes(I8 bytes, LaneBits quiet, I8 bit) {
  const auto v = reinterpret_cast<__m512i>(bytes);
  return reinterpret_cast<I8>(
      _mm512_mask_add_epi8(v, _knot_mask64(quiet), v, reinterpret_cast<__m512i>(bit)));
}

inline I8 bytes_in_order(I8 bytes) {
  const __m512i order = _mm512_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);
  return reinterpret_cast<I8>(_mm512_permutexvar_epi32(order, reinterpret_cast<__m512i>(bytes)));
}

inline I8 narrow_in_order(I8 bytes) { return bytes; }

inline I32 add_where(I32 bits, I32 v, I32 k) {
  return as32(_mm512_mask_add_epi32(raw(v), _mm512_test_epi32_mask(raw(bits), raw(bits)), raw(v), raw(k)));
}

#include "kernels/body/step_16.inc"
#include "kernels/body/step_lif_lanes.inc"
}  // namespace

void step_lif_i8_lanes(const LifTile& tile, const LaneSums& sums) { step_lanes<true>(tile, sums); }
void step_lif_i16_lanes(const LifTile& tile, const LaneSums& sums) { step_lanes<false>(tile, sums); }

}  // namespace snncore::kernels::avx512
