// A word of spikes as bytes.
#pragma once

#include "kernels/avx512/simd.h"

namespace snncore::kernels {
namespace {

inline void spread_word(uint64_t word, uint8_t* to) {
  _mm512_storeu_si512(to, _mm512_maskz_set1_epi8(word, 1));
}

}  // namespace
}  // namespace snncore::kernels
