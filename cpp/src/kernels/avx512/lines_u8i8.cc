#include "kernels/avx512/entries.h"
#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512 {
namespace {

// Which bytes the places of a vector take, for a number of bytes from one place to the next.
struct Windows {
  uint8_t from[kLineBytes + 1][64] = {};

  constexpr Windows() {
    for (size_t pitch = 1; pitch <= kLineBytes; ++pitch) {
      for (size_t i = 0; i < 64; ++i) from[pitch][i] = static_cast<uint8_t>(i / 4 * pitch + i % 4);
    }
  }
};
alignas(64) constexpr Windows kWindows;

struct LineInputs {
  __m512i bytes;

  static LineInputs at(const uint8_t* from, size_t place_bytes) {
    const __m512i which = _mm512_loadu_si512(kWindows.from[place_bytes]);
    return {_mm512_permutexvar_epi8(which, _mm512_loadu_si512(from))};
  }
};

struct LineCodes {
  __m512i codes;

  static LineCodes from(const int8_t* at) {
    int32_t four;
    __builtin_memcpy(&four, at, sizeof(four));
    return {_mm512_set1_epi32(four)};
  }
  void add(I32& sums, const LineInputs& in) const {
    sums = as32(_mm512_dpbusd_epi32(raw(sums), in.bytes, codes));
  }
};

#include "kernels/body/lines_u8i8.inc"
}  // namespace

void lines_u8i8_lanes(const ByteLines& x, const LineWeights& w, int32_t* lanes, size_t pitch) {
  LineSums(x, w).run(lanes, pitch);
}

}  // namespace snncore::kernels::avx512
