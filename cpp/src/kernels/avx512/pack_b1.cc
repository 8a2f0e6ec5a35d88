#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {
namespace {

#include "kernels/body/pack_b1.inc"

struct Bytes {
  static uint64_t word(const uint8_t* from) { return part(_mm512_loadu_si512(from)); }
  static uint64_t part(const uint8_t* from, size_t count) {
    return part(_mm512_maskz_loadu_epi8((uint64_t{1} << count) - 1, from));
  }
  static uint64_t part(__m512i bytes) { return _mm512_test_epi8_mask(bytes, bytes); }
};
struct Floats {
  static uint64_t word(const float* from) {
    uint64_t word = 0;
    for (size_t i = 0; i < 64; i += 16) word |= part(_mm512_loadu_ps(from + i)) << i;
    return word;
  }
  static uint64_t part(const float* from, size_t count) {
    uint64_t word = 0, left = (uint64_t{1} << count) - 1;
    for (size_t i = 0; left != 0; i += 16, left >>= 16)
      word |= part(_mm512_maskz_loadu_ps(static_cast<__mmask16>(left), from + i)) << i;
    return word;
  }
  static uint64_t part(__m512 floats) { return _mm512_cmp_ps_mask(floats, _mm512_setzero_ps(), _CMP_NEQ_UQ); }
};

}  // namespace

void pack_u8_b1(const uint8_t* from, size_t count, uint64_t* to) { pack_elements<Bytes>(from, count, to); }
void pack_f32_b1(const float* from, size_t count, uint64_t* to) { pack_elements<Floats>(from, count, to); }

}  // namespace snncore::kernels::avx512
