#include "kernels/avx2/entries.h"
#include "kernels/avx2/simd.h"

namespace snncore::kernels::avx2 {
namespace {

// Where the bytes of a plane go in each of three vectors; the others are zero.
struct Thirds {
  uint8_t from[3][3][16] = {};  // [plane][vector]

  constexpr Thirds() {
    for (size_t at = 0; at < 48; ++at) {
      for (size_t c = 0; c < 3; ++c)
        from[c][at / 16][at % 16] = static_cast<uint8_t>(at % 3 == c ? at / 3 : 0x80);
    }
  }
};
alignas(16) constexpr Thirds kThirds;

inline __m128i third(__m128i plane, size_t c, size_t vector) {
  return _mm_shuffle_epi8(plane, _mm_load_si128(reinterpret_cast<const __m128i*>(kThirds.from[c][vector])));
}

}  // namespace

void interleave3_u8(const uint8_t* const (&planes)[3], size_t count, uint8_t* to) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16, to += 48) {
    const auto a = load<__m128i>(planes[0] + i), b = load<__m128i>(planes[1] + i),
               c = load<__m128i>(planes[2] + i);
    for (size_t v = 0; v < 3; ++v) store(to + 16 * v, third(a, 0, v) | third(b, 1, v) | third(c, 2, v));
  }
  for (; i < count; ++i, to += 3) {
    for (size_t c = 0; c < 3; ++c) to[c] = planes[c][i];
  }
}

}  // namespace snncore::kernels::avx2
