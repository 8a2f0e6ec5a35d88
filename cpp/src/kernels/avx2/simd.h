// Vectors of 32 bytes and the operations that need an AVX2 instruction by name. Included by this folder's
// sources only. `narrow` leaves its lanes in the order of the instruction (0-3, 8-11, 4-7, 12-15); all int16
// lanes of a neuron keep it, and whatever leaves the registers is put back in order.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {
namespace {

inline constexpr size_t kVectorBytes = 32;
#include "kernels/body/vectors.inc"

#include "kernels/body/masks.inc"

inline __m256i raw(I8 v) { return reinterpret_cast<__m256i>(v); }
inline __m256i raw(I16 v) { return reinterpret_cast<__m256i>(v); }
inline __m256i raw(I32 v) { return reinterpret_cast<__m256i>(v); }
inline I16 as16(__m256i v) { return reinterpret_cast<I16>(v); }
inline I32 as32(__m256i v) { return reinterpret_cast<I32>(v); }

inline I16 narrow(I32 a, I32 b) { return as16(_mm256_packs_epi32(raw(a), raw(b))); }
inline I16 narrow_unsigned(I32 a, I32 b) { return as16(_mm256_packus_epi32(raw(a), raw(b))); }
inline __m256i swap_middle(__m256i v) { return _mm256_permute4x64_epi64(v, 0xd8); }

inline void widen(I16 v, I32& a, I32& b) {
  const __m256i ordered = swap_middle(raw(v));
  a = as32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(ordered)));
  b = as32(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(ordered, 1)));
}

inline I16 load_state(const int16_t* from) { return as16(swap_middle(raw(load<I16>(from)))); }
inline void store_state(int16_t* to, I16 v) { store(to, as16(swap_middle(raw(v)))); }

inline I16 load_state(const int8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return as16(swap_middle(_mm256_cvtepi8_epi16(bytes)));
}

inline void store_state(int8_t* to, I16 v) {
  const __m256i ordered = swap_middle(raw(v));
  const __m128i low = _mm256_castsi256_si128(ordered), high = _mm256_extracti128_si256(ordered, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(low, high));
}

inline I16 add_sat(I16 a, I16 b) { return as16(_mm256_adds_epi16(raw(a), raw(b))); }
inline I16 sub_sat_unsigned(I16 a, I16 b) { return as16(_mm256_subs_epu16(raw(a), raw(b))); }
inline I16 mul_q15(I16 a, I16 b) { return as16(_mm256_mulhrs_epi16(raw(a), raw(b))); }
inline I16 mul_high_unsigned(I16 a, I16 b) { return as16(_mm256_mulhi_epu16(raw(a), raw(b))); }
inline I16 shift_right(I16 v, int32_t k) { return as16(_mm256_sra_epi16(raw(v), _mm_cvtsi32_si128(k))); }
inline I16 clamp16(I16 v, int32_t lo, int32_t hi) {
  return as16(_mm256_min_epi16(_mm256_max_epi16(raw(v), raw(splat16(lo))), raw(splat16(hi))));
}

// 16 numbers to look up, their low bytes and their high bytes, in both halves.
struct Table16 {
  __m256i low, high;
};

inline Table16 table16(const int16_t* entries) {
  const __m256i all = raw(load<I16>(entries));
  const __m256i low = _mm256_and_si256(all, _mm256_set1_epi16(0xff)), high = _mm256_srli_epi16(all, 8);
  const auto both = [](__m256i v) {
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    return _mm256_broadcastsi128_si256(bytes);
  };
  return {both(low), both(high)};
}

inline I16 look_up(const Table16& table, I16 index) {  // 0..15
  const __m256i at = raw(index | (index << 8));
  return as16(_mm256_blendv_epi8(_mm256_shuffle_epi8(table.low, at), _mm256_shuffle_epi8(table.high, at),
                                 _mm256_set1_epi16(static_cast<int16_t>(0xff00))));
}

// One bit for each of 32 channels, from masks in the order of `narrow`.
inline uint32_t bits_of16(const I16 (&masks)[2]) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_packs_epi16(raw(masks[0]), raw(masks[1]));
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permutevar8x32_epi32(bytes, order)));
}

// Sums of bytes as int16: the even bytes and the odd ones.
struct Wide {
  I16 even, odd;
};

inline void widen_add(I8 v, Wide& sum) {
  sum.even += as16(_mm256_maddubs_epi16(_mm256_set1_epi16(1), raw(v)));
  sum.odd += as16(_mm256_srai_epi16(raw(v), 8));
}

// In the order of the bytes.
inline void in_order(const Wide& v, I16 (&halves)[2]) {
  const __m256i a = _mm256_unpacklo_epi16(raw(v.even), raw(v.odd));  // 0-7, 16-23
  const __m256i b = _mm256_unpackhi_epi16(raw(v.even), raw(v.odd));  // 8-15, 24-31
  halves[0] = as16(_mm256_permute2x128_si256(a, b, 0x20));
  halves[1] = as16(_mm256_permute2x128_si256(a, b, 0x31));
}

inline void widen(const Wide& v, I32 (&quarters)[4]) {
  const __m256i a = _mm256_unpacklo_epi16(raw(v.even), raw(v.odd));  // 0-7, 16-23
  const __m256i b = _mm256_unpackhi_epi16(raw(v.even), raw(v.odd));  // 8-15, 24-31
  quarters[0] = as32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a)));
  quarters[1] = as32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(b)));
  quarters[2] = as32(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(a, 1)));
  quarters[3] = as32(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(b, 1)));
}

// The products of int16 lanes with the low halves of int32 lanes, whose high halves are 0, as int32, in the
// order of `widen`: `narrow` brings them back to theirs.
inline void products(I16 v, I32 factor, I32& a, I32& b) {
  a = as32(_mm256_madd_epi16(_mm256_unpacklo_epi16(raw(v), raw(v)), raw(factor)));
  b = as32(_mm256_madd_epi16(_mm256_unpackhi_epi16(raw(v), raw(v)), raw(factor)));
}

// c + a * m where a lies in int16, and m in 0..INT16_MAX: with m's high halves 0, those of a do not matter.
inline constexpr bool kShortProducts = true;
inline I32 add_short_product(I32 c, I32 a, I32 m) { return c + as32(_mm256_madd_epi16(raw(a), raw(m))); }

}  // namespace
}  // namespace snncore::kernels
