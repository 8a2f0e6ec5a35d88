#pragma once

#include "kernels/avx2/simd.h"

namespace snncore::kernels {
namespace {

#include "kernels/body/byte_table.inc"

class ByteLister {
 public:
  explicit ByteLister(uint32_t pitch)
      : scale_(_mm256_set1_epi32(static_cast<int32_t>(pitch))), step_(_mm256_slli_epi32(scale_, 3)) {}

  // Lists base + pitch * i for the set bits i of the first `bytes` bytes (all, if more than 8) and returns
  // the end; writes up to 8 more.
  uint32_t* list(uint64_t spikes, size_t bytes, uint32_t base, uint32_t* to) const {
    __m256i from = _mm256_set1_epi32(static_cast<int32_t>(base));
    if (bytes >= 8) {
      for (size_t b = 0; b < 8; ++b) to = list_byte(spikes >> (8 * b) & 0xff, from, to);
    } else {
      for (size_t b = 0; b < bytes; ++b) to = list_byte(spikes >> (8 * b) & 0xff, from, to);
    }
    return to;
  }

 private:
  uint32_t* list_byte(uint64_t byte, __m256i& from, uint32_t* to) const {
    const __m128i packed = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kBytes.position[byte]));
    const __m256i offsets = _mm256_mullo_epi32(_mm256_cvtepu8_epi32(packed), scale_);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_add_epi32(from, offsets));
    from = _mm256_add_epi32(from, step_);
    return to + kBytes.count[byte];
  }

  __m256i scale_, step_;
};

}  // namespace
}  // namespace snncore::kernels
