// What the attention kernels need of AVX2 by name. Bits are counted by table: the four bits of a row's half
// byte choose the table, which says for the half bytes of 32 lanes how many bits they share.
#pragma once

#include "kernels/avx2/simd.h"
#include "kernels/table.h"

namespace snncore::kernels {
namespace {

using U8 = VectorOf<uint8_t>::Type;

// Eight words.
struct Block {
  U64 vectors[2];

  explicit Block(const uint64_t* from) : vectors{load<U64>(from), load<U64>(from + 4)} {}
  Block(const uint64_t* from, size_t stride)
      : vectors{{from[0], from[stride], from[2 * stride], from[3 * stride]},
                {from[4 * stride], from[5 * stride], from[6 * stride], from[7 * stride]}} {}
  Block(__m256i low, __m256i high) : vectors{reinterpret_cast<U64>(low), reinterpret_cast<U64>(high)} {}

  void store(void* to) const {
    kernels::store(to, vectors[0]);
    kernels::store(static_cast<uint64_t*>(to) + 4, vectors[1]);
  }

  // Byte j of word i becomes byte i of word j.
  [[nodiscard]] Block transposed() const {
    const auto a = reinterpret_cast<__m256i>(vectors[0]), b = reinterpret_cast<__m256i>(vectors[1]);
    const __m256i pairs =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i even = _mm256_shuffle_epi8(_mm256_permute2x128_si256(a, b, 0x20), pairs);
    const __m256i odd = _mm256_shuffle_epi8(_mm256_permute2x128_si256(a, b, 0x31), pairs);
    return {_mm256_permutevar8x32_epi32(_mm256_unpacklo_epi16(even, odd), order),
            _mm256_permutevar8x32_epi32(_mm256_unpackhi_epi16(even, odd), order)};
  }
};

// How many bits the low and the high half of a byte share with each half byte.
struct SharedTable {
  uint8_t halves[256][2][16] = {};

  constexpr SharedTable() {
    constexpr uint8_t kCount[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (unsigned half = 0; half < 16; ++half) {
        halves[byte][0][half] = kCount[byte & half];
        halves[byte][1][half] = kCount[byte >> 4 & half];
      }
    }
  }
};
alignas(64) constexpr SharedTable kShared;

inline constexpr size_t kTileRows = 4;

struct Lanes {
  __m256i low, high;

  Lanes() = default;
  explicit Lanes(const uint8_t* bytes) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    const __m256i half = _mm256_set1_epi8(15);
    low = _mm256_and_si256(v, half);
    high = _mm256_and_si256(_mm256_srli_epi16(v, 4), half);
  }
};

struct Key {
  __m256i low, high;

  explicit Key(const uint8_t* byte)
      : low(table(kShared.halves[*byte][0])), high(table(kShared.halves[*byte][1])) {}
  static __m256i table(const uint8_t* row) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(row)));
  }
};

inline U8 add_overlap(U8 sum, const Lanes& lanes, const Key& key) {
  const __m256i low = _mm256_shuffle_epi8(key.low, lanes.low);
  const __m256i high = _mm256_shuffle_epi8(key.high, lanes.high);
  return sum + (reinterpret_cast<U8>(low) + reinterpret_cast<U8>(high));
}

inline void widen_counts(U8 v, U16& low, U16& high) {
  low = reinterpret_cast<U16>(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(reinterpret_cast<__m256i>(v))));
  high =
      reinterpret_cast<U16>(_mm256_cvtepu8_epi16(_mm256_extracti128_si256(reinterpret_cast<__m256i>(v), 1)));
}

inline void widen_sums(U16 v, I32& low, I32& high) {
  low = as32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(reinterpret_cast<__m256i>(v))));
  high = as32(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(reinterpret_cast<__m256i>(v), 1)));
}

// One bit for each of 64 unsigned bytes.
inline uint64_t at_least(const U8 (&sums)[2], uint32_t threshold) {
  const __m256i least = _mm256_set1_epi8(static_cast<char>(threshold));
  uint64_t bits = 0;
  for (size_t v = 0; v < 2; ++v) {
    const __m256i reached = _mm256_cmpeq_epi8(_mm256_max_epu8(reinterpret_cast<__m256i>(sums[v]), least),
                                              reinterpret_cast<__m256i>(sums[v]));
    bits |= uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(reached))} << (32 * v);
  }
  return bits;
}

}  // namespace
}  // namespace snncore::kernels
