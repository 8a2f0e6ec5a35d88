#include "kernels/avx2/entries.h"
#include "kernels/avx2/simd.h"

namespace snncore::kernels::avx2 {
namespace {

#include "kernels/body/pack_b1.inc"

uint64_t half_of(const uint8_t* from) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  return ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())));
}
uint64_t eight_of(const float* from) {
  const __m256 set = _mm256_cmp_ps(_mm256_loadu_ps(from), _mm256_setzero_ps(), _CMP_NEQ_UQ);
  return static_cast<uint32_t>(_mm256_movemask_ps(set));
}

struct Bytes {
  static uint64_t word(const uint8_t* from) { return half_of(from) | half_of(from + 32) << 32; }
  static uint64_t part(const uint8_t* from, size_t count) {  // halves that overlap
    if (count < 32) return bits_of(from, count);
    return half_of(from) | half_of(from + count - 32) << (count - 32);
  }
};
struct Floats {
  static uint64_t word(const float* from) { return part(from, 64); }
  static uint64_t part(const float* from, size_t count) {
    uint64_t word = 0;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) word |= eight_of(from + i) << i;
    return i < count ? word | bits_of(from + i, count - i) << i : word;
  }
};

}  // namespace

void pack_u8_b1(const uint8_t* from, size_t count, uint64_t* to) { pack_elements<Bytes>(from, count, to); }
void pack_f32_b1(const float* from, size_t count, uint64_t* to) { pack_elements<Floats>(from, count, to); }

}  // namespace snncore::kernels::avx2
