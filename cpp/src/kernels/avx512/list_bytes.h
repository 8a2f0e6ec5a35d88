// Vectors of 32 bytes here: rows may end on any multiple of 32 channels.
#pragma once

#include "kernels/avx2/simd.h"

namespace snncore::kernels {
namespace {

class ByteLister {
 public:
  explicit ByteLister(uint32_t pitch)
      : lanes_(_mm512_mullo_epi32(_mm512_set1_epi32(static_cast<int32_t>(pitch)),
                                  _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))),
        step_(_mm512_set1_epi32(static_cast<int32_t>(16 * pitch))) {}

  // Lists base + pitch * i for the set bits i of the first `bytes` bytes (all, if more than 8) and returns
  // the end; writes up to 16 more.
  uint32_t* list(uint64_t spikes, size_t bytes, uint32_t base, uint32_t* to) const {
    __m512i offsets = _mm512_add_epi32(lanes_, _mm512_set1_epi32(static_cast<int32_t>(base)));
    for (size_t b = 0; b < 8 && b < bytes; b += 2, spikes >>= 16) {
      const auto mask = static_cast<__mmask16>(spikes);
      _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(mask, offsets));
      offsets = _mm512_add_epi32(offsets, step_);
      to += __builtin_popcount(mask);
    }
    return to;
  }

 private:
  __m512i lanes_, step_;
};

}  // namespace
}  // namespace snncore::kernels
