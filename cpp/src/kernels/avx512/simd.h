// Vectors of 64 bytes and the operations that need an AVX-512 instruction by name. Included by this folder's
// sources only. A block of 32 channels is one vector of int16, in the order that `narrow` gives: quarters of
// both halves in turn.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// GCC's header reads its own undefined vectors on purpose (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {
namespace {

inline constexpr size_t kVectorBytes = 64;
#include "kernels/body/vectors.inc"

inline __m512i raw(I16 v) { return reinterpret_cast<__m512i>(v); }
inline __m512i raw(I32 v) { return reinterpret_cast<__m512i>(v); }
inline I16 as16(__m512i v) { return reinterpret_cast<I16>(v); }
inline I32 as32(__m512i v) { return reinterpret_cast<I32>(v); }

inline I16 narrow(I32 a, I32 b) { return as16(_mm512_packs_epi32(raw(a), raw(b))); }
inline I16 narrow_unsigned(I32 a, I32 b) { return as16(_mm512_packus_epi32(raw(a), raw(b))); }

// From the order of `narrow` to that of memory, and back.
inline __m512i in_order(__m512i v) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v);
}
inline __m512i narrow_order(__m512i v) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), v);
}

inline void widen(I16 v, I32& a, I32& b) {
  a = as32(_mm512_unpacklo_epi16(raw(v), raw(v))) >> 16;
  b = as32(_mm512_unpackhi_epi16(raw(v), raw(v))) >> 16;
}
inline void widen_in_order(I16 v, I32& a, I32& b) {
  a = as32(_mm512_cvtepi16_epi32(_mm512_castsi512_si256(raw(v))));
  b = as32(_mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(raw(v), 1)));
}

inline __m512i load_bytes(const int8_t* from) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline I16 load_state(const int16_t* from) { return as16(narrow_order(raw(load<I16>(from)))); }
inline void store_state(int16_t* to, I16 v) { store(to, as16(in_order(raw(v)))); }
inline I16 load_state(const int8_t* from) { return as16(narrow_order(load_bytes(from))); }
inline void store_state(int8_t* to, I16 v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtsepi16_epi8(in_order(raw(v))));
}

inline I16 add_sat(I16 a, I16 b) { return as16(_mm512_adds_epi16(raw(a), raw(b))); }
inline I16 sub_sat_unsigned(I16 a, I16 b) { return as16(_mm512_subs_epu16(raw(a), raw(b))); }
inline I16 mul_q15(I16 a, I16 b) { return as16(_mm512_mulhrs_epi16(raw(a), raw(b))); }
inline I16 mul_high_unsigned(I16 a, I16 b) { return as16(_mm512_mulhi_epu16(raw(a), raw(b))); }
inline I16 shift_right(I16 v, int32_t k) { return as16(_mm512_sra_epi16(raw(v), _mm_cvtsi32_si128(k))); }
inline I16 clamp16(I16 v, int32_t lo, int32_t hi) {
  return as16(_mm512_min_epi16(_mm512_max_epi16(raw(v), raw(splat16(lo))), raw(splat16(hi))));
}

// 16 numbers to look up, their low bytes and their high bytes, in every quarter.
struct Table16 {
  __m512i low, high;
};

inline Table16 table16(const int16_t* entries) {
  const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(entries));
  return {_mm512_broadcast_i32x4(_mm256_cvtepi16_epi8(all)),
          _mm512_broadcast_i32x4(_mm256_cvtepi16_epi8(_mm256_srli_epi16(all, 8)))};
}

inline I16 look_up(const Table16& table, I16 index) {  // 0..15
  const __m512i at = raw(index | (index << 8));
  return as16(_mm512_mask_blend_epi8(0xaaaaaaaaaaaaaaaa, _mm512_shuffle_epi8(table.low, at),
                                     _mm512_shuffle_epi8(table.high, at)));
}

// Sums of 64 bytes as int16: those of the even and those of the odd bytes. The two ports share the work this
// way; to keep the order of the bytes would take one of them alone.
struct Wide {
  I16 even, odd;
};

inline void widen_add(I8 v, Wide& sum) {
  const __m512i bytes = reinterpret_cast<__m512i>(v);
  // By name: what is dropped later may wrap.
  sum.even = as16(_mm512_add_epi16(raw(sum.even), _mm512_maddubs_epi16(_mm512_set1_epi16(1), bytes)));
  sum.odd = as16(_mm512_add_epi16(raw(sum.odd), _mm512_srai_epi16(bytes, 8)));
}

// In the order of the bytes.
inline void in_order(const Wide& v, I16 (&halves)[2]) {
  const __m512i low = _mm512_unpacklo_epi16(raw(v.even), raw(v.odd)),
                high = _mm512_unpackhi_epi16(raw(v.even), raw(v.odd));
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
                second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  halves[0] = as16(_mm512_permutex2var_epi64(low, first, high));
  halves[1] = as16(_mm512_permutex2var_epi64(low, second, high));
}

inline void widen(const Wide& v, I32 (&quarters)[4]) {
  I16 halves[2];
  in_order(v, halves);
  for (size_t i = 0; i < 2; ++i) widen_in_order(halves[i], quarters[2 * i], quarters[2 * i + 1]);
}

// The products of int16 lanes with the low halves of int32 lanes, whose high halves are 0, as int32, in the
// order of `widen`: `narrow` brings them back to theirs.
inline void products(I16 v, I32 factor, I32& a, I32& b) {
  a = as32(_mm512_madd_epi16(_mm512_unpacklo_epi16(raw(v), raw(v)), raw(factor)));
  b = as32(_mm512_madd_epi16(_mm512_unpackhi_epi16(raw(v), raw(v)), raw(factor)));
}

// c + a * m where a lies in int16, and m in 0..INT16_MAX: with m's high halves 0, those of a do not matter.
inline constexpr bool kShortProducts = true;
inline I32 add_short_product(I32 c, I32 a, I32 m) {
  return as32(_mm512_dpwssd_epi32(raw(c), raw(a), raw(m)));
}

// Masks of int16 lanes stay in registers of their own.
struct Mask16 {
  __mmask32 lanes;
};

inline Mask16 less(I16 a, I16 b) { return {_mm512_cmplt_epi16_mask(raw(a), raw(b))}; }
inline I16 only(Mask16 mask, I16 v) { return as16(_mm512_maskz_mov_epi16(mask.lanes, raw(v))); }
inline I16 except(Mask16 mask, I16 v) { return as16(_mm512_maskz_mov_epi16(~mask.lanes, raw(v))); }

// One bit for each of 32 channels, from a mask in the order of `narrow`.
inline uint32_t bits_of16(const Mask16 (&masks)[1]) {
  const uint32_t bits = masks[0].lanes;
  return _pext_u32(bits, 0x0f0f0f0f) | _pext_u32(bits, 0xf0f0f0f0) << 16;
}
inline uint32_t bits_of16(const I16 (&masks)[1]) {
  return bits_of16({Mask16{_mm512_movepi16_mask(raw(masks[0]))}});
}

}  // namespace
}  // namespace snncore::kernels
