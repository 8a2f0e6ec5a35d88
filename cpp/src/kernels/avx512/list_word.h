// The set bits of a word, listed by one instruction.
#pragma once

#include "kernels/avx512/simd.h"

namespace snncore::kernels {
namespace {

struct Numbers {
  uint8_t from[64] = {};

  constexpr Numbers() {
    for (size_t i = 0; i < 64; ++i) from[i] = static_cast<uint8_t>(i);
  }
};
alignas(64) constexpr Numbers kNumbers;

constexpr bool kListsSilent = true;

inline uint8_t* list_word(uint64_t spikes, uint8_t first, uint8_t* to) {
  const __m512i all =
      _mm512_add_epi8(_mm512_load_si512(kNumbers.from), _mm512_set1_epi8(static_cast<char>(first)));
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(spikes, all));
  return to + _mm_popcnt_u64(spikes);
}

}  // namespace
}  // namespace snncore::kernels
