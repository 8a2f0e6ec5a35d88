// What the attention kernels need of AVX-512 by name.
#pragma once

#include "kernels/avx512/simd.h"
#include "kernels/table.h"

namespace snncore::kernels {
namespace {

struct TransposedBytes {
  uint8_t from[64] = {};

  constexpr TransposedBytes() {
    for (size_t i = 0; i < 64; ++i) from[i] = static_cast<uint8_t>(i % 8 * 8 + i / 8);
  }
};
alignas(64) constexpr TransposedBytes kTransposedBytes;

using U8 = VectorOf<uint8_t>::Type;

// Eight words.
struct Block {
  U64 vectors[1];

  explicit Block(const uint64_t* from) : vectors{load<U64>(from)} {}
  Block(const uint64_t* from, size_t stride)
      : vectors{{from[0], from[stride], from[2 * stride], from[3 * stride], from[4 * stride],
                 from[5 * stride], from[6 * stride], from[7 * stride]}} {}
  explicit Block(__m512i words) : vectors{reinterpret_cast<U64>(words)} {}

  void store(void* to) const { kernels::store(to, vectors[0]); }

  // Byte j of word i becomes byte i of word j.
  [[nodiscard]] Block transposed() const {
    const __m512i order = _mm512_load_si512(kTransposedBytes.from);
    return Block(_mm512_permutexvar_epi8(order, reinterpret_cast<__m512i>(vectors[0])));
  }
};

inline constexpr size_t kTileRows = 8;

struct Lanes {
  __m512i bytes;

  Lanes() = default;
  explicit Lanes(const uint8_t* from) : bytes(_mm512_loadu_si512(from)) {}
};

struct Key {
  __m512i bytes;

  explicit Key(const uint8_t* byte) : bytes(_mm512_set1_epi8(static_cast<char>(*byte))) {}
};

inline U8 add_overlap(U8 sum, const Lanes& lanes, const Key& key) {
  return sum + reinterpret_cast<U8>(_mm512_popcnt_epi8(_mm512_and_si512(lanes.bytes, key.bytes)));
}

inline void widen_counts(U8 v, U16& low, U16& high) {
  const auto bytes = reinterpret_cast<__m512i>(v);
  low = reinterpret_cast<U16>(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes)));
  high = reinterpret_cast<U16>(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(bytes, 1)));
}

inline void widen_sums(U16 v, I32& low, I32& high) {
  low = as32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(reinterpret_cast<__m512i>(v))));
  high = as32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(reinterpret_cast<__m512i>(v), 1)));
}

// One bit for each of 64 unsigned bytes.
inline uint64_t at_least(const U8 (&sums)[1], uint32_t threshold) {
  return _mm512_cmpge_epu8_mask(reinterpret_cast<__m512i>(sums[0]),
                                _mm512_set1_epi8(static_cast<char>(threshold)));
}

}  // namespace
}  // namespace snncore::kernels
