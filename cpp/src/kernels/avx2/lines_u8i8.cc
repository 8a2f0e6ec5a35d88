// vpmaddubsw would saturate: even and odd bytes are widened and go through vpmaddwd.
#include "kernels/avx2/entries.h"
#include "kernels/avx2/simd.h"

namespace snncore::kernels::avx2 {
namespace {

// Which bytes the places of half a vector take, for a number of bytes from one place to the next.
struct Windows {
  uint8_t from[kLineBytes + 1][16] = {};

  constexpr Windows() {
    for (size_t pitch = 1; pitch <= kLineBytes; ++pitch) {
      for (size_t i = 0; i < 16; ++i) from[pitch][i] = static_cast<uint8_t>(i / 4 * pitch + i % 4);
    }
  }
};
alignas(32) constexpr Windows kWindows;

struct LineInputs {
  __m256i even, odd;

  static LineInputs at(const uint8_t* from, size_t place_bytes) {
    const auto half = [](const uint8_t* bytes) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    };
    const __m256i which = _mm256_broadcastsi128_si256(half(kWindows.from[place_bytes]));
    const __m256i both = _mm256_set_m128i(half(from + 4 * place_bytes), half(from));
    const __m256i bytes = _mm256_shuffle_epi8(both, which), low = _mm256_set1_epi16(0xff);
    return {_mm256_and_si256(bytes, low), _mm256_srli_epi16(bytes, 8)};
  }
};

struct LineCodes {
  __m256i even, odd;

  static LineCodes from(const int8_t* at) {
    int32_t four;
    __builtin_memcpy(&four, at, sizeof(four));
    const __m256i codes = _mm256_set1_epi32(four);
    return {_mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 8), _mm256_srai_epi16(codes, 8)};
  }
  void add(I32& sums, const LineInputs& in) const {
    sums += as32(_mm256_add_epi32(_mm256_madd_epi16(in.even, even), _mm256_madd_epi16(in.odd, odd)));
  }
};

#include "kernels/body/lines_u8i8.inc"
}  // namespace

void lines_u8i8_lanes(const ByteLines& x, const LineWeights& w, int32_t* lanes, size_t pitch) {
  LineSums(x, w).run(lanes, pitch);
}

}  // namespace snncore::kernels::avx2
