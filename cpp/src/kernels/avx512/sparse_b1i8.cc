#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {
inline constexpr size_t kSparseVectors = 4;

// Planes of bits, which mask additions: they stay in the first-level cache.
inline constexpr size_t kPlaceRows = 8;
static_assert(kPlaceRows == kPlaceAlign);

inline void store_fired(uint8_t* to, I8 spikes, I8 bit) {
  const uint64_t fired =
      _mm512_test_epi8_mask(reinterpret_cast<__m512i>(spikes), reinterpret_cast<__m512i>(bit));
  __builtin_memcpy(to, &fired, sizeof(fired));
}

inline I8 add_fired(I8 sum, const uint8_t* fired, I8 code) {
  uint64_t lanes;
  __builtin_memcpy(&lanes, fired, sizeof(lanes));
  const auto bytes = reinterpret_cast<__m512i>(sum);
  return reinterpret_cast<I8>(_mm512_mask_add_epi8(bytes, lanes, bytes, reinterpret_cast<__m512i>(code)));
}

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

}  // namespace snncore::kernels::avx512
