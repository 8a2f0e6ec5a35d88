// Vectors of 16 bytes and the operations that need a NEON instruction by name, for 64-bit and for 32-bit Arm.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {
namespace {

inline constexpr size_t kVectorBytes = 16;
#include "kernels/body/vectors.inc"

#include "kernels/body/masks.inc"

inline int8x16_t raw(I8 v) { return reinterpret_cast<int8x16_t>(v); }
inline int16x8_t raw(I16 v) { return reinterpret_cast<int16x8_t>(v); }
inline uint16x8_t raw_unsigned(I16 v) { return reinterpret_cast<uint16x8_t>(v); }
inline int32x4_t raw(I32 v) { return reinterpret_cast<int32x4_t>(v); }
inline I16 as16(int16x8_t v) { return reinterpret_cast<I16>(v); }
inline I16 as16(uint16x8_t v) { return reinterpret_cast<I16>(v); }
inline I32 as32(int32x4_t v) { return reinterpret_cast<I32>(v); }

inline I16 narrow(I32 a, I32 b) { return as16(vcombine_s16(vqmovn_s32(raw(a)), vqmovn_s32(raw(b)))); }
inline I16 narrow_unsigned(I32 a, I32 b) {
  return as16(vcombine_u16(vqmovun_s32(raw(a)), vqmovun_s32(raw(b))));
}

inline void widen(I16 v, I32& a, I32& b) {
  a = as32(vmovl_s16(vget_low_s16(raw(v))));
  b = as32(vmovl_s16(vget_high_s16(raw(v))));
}

inline I16 load_state(const int16_t* from) { return load<I16>(from); }
inline void store_state(int16_t* to, I16 v) { store(to, v); }
inline I16 load_state(const int8_t* from) { return as16(vmovl_s8(vld1_s8(from))); }
inline void store_state(int8_t* to, I16 v) { vst1_s8(to, vmovn_s16(raw(v))); }

// Products of int32 are as fast as shorter ones.
inline constexpr bool kShortProducts = false;
inline I32 add_short_product(I32 c, I32 a, I32 m) { return c + a * m; }

inline I16 add_sat(I16 a, I16 b) { return as16(vqaddq_s16(raw(a), raw(b))); }
inline I16 sub_sat_unsigned(I16 a, I16 b) { return as16(vqsubq_u16(raw_unsigned(a), raw_unsigned(b))); }
inline I16 mul_q15(I16 a, I16 b) { return as16(vqrdmulhq_s16(raw(a), raw(b))); }
inline I16 shift_right(I16 v, int32_t k) { return as16(vshlq_s16(raw(v), raw(splat16(-k)))); }
inline I16 clamp16(I16 v, int32_t lo, int32_t hi) {
  return as16(vminq_s16(vmaxq_s16(raw(v), raw(splat16(lo))), raw(splat16(hi))));
}

// 16 numbers to look up, their low bytes and their high bytes.
struct Table16 {
  uint8x8x2_t low, high;
};

inline Table16 table16(const int16_t* entries) {
  const uint16x8_t a = vreinterpretq_u16_s16(vld1q_s16(entries));
  const uint16x8_t b = vreinterpretq_u16_s16(vld1q_s16(entries + 8));
  return {{{vmovn_u16(a), vmovn_u16(b)}}, {{vshrn_n_u16(a, 8), vshrn_n_u16(b, 8)}}};
}

inline uint8x8_t look_up_bytes(const uint8x8x2_t& table, uint8x8_t at) {
#if defined(__aarch64__)
  return vqtbl1_u8(vcombine_u8(table.val[0], table.val[1]), at);
#else
  return vtbl2_u8(table, at);
#endif
}

inline I16 look_up(const Table16& table, I16 index) {  // 0..15
  const uint8x8_t at = vmovn_u16(raw_unsigned(index));
  const uint16x8_t low = vmovl_u8(look_up_bytes(table.low, at));
  return as16(vorrq_u16(low, vshll_n_u8(look_up_bytes(table.high, at), 8)));
}

inline I16 mul_high_unsigned(I16 a, I16 b) {
  const uint16x8_t x = raw_unsigned(a), y = raw_unsigned(b);
  const uint32x4_t low = vmull_u16(vget_low_u16(x), vget_low_u16(y));
  const uint32x4_t high = vmull_u16(vget_high_u16(x), vget_high_u16(y));
  return as16(vcombine_u16(vshrn_n_u32(low, 16), vshrn_n_u32(high, 16)));
}

// One bit for each of 32 channels: there is no movemask, so each lane keeps its bit and neighbours are added.
inline uint32_t bits_of16(const I16 (&masks)[4]) {
  constexpr uint8_t kBit[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x8_t bit = vld1_u8(kBit);
  uint8x8_t bytes[4];
  for (size_t i = 0; i < 4; ++i) bytes[i] = vand_u8(vmovn_u16(raw_unsigned(masks[i])), bit);
  const uint8x8_t quads = vpadd_u8(vpadd_u8(bytes[0], bytes[1]), vpadd_u8(bytes[2], bytes[3]));
  return vget_lane_u32(vreinterpret_u32_u8(vpadd_u8(quads, quads)), 0);
}

// Sums of 16 bytes as int16.
struct Wide {
  I16 low, high;
};

inline void widen_add(I8 v, Wide& sum) {
  sum.low = as16(vaddw_s8(raw(sum.low), vget_low_s8(raw(v))));
  sum.high = as16(vaddw_s8(raw(sum.high), vget_high_s8(raw(v))));
}

// In the order of the bytes.
inline void in_order(const Wide& v, I16 (&halves)[2]) {
  halves[0] = v.low;
  halves[1] = v.high;
}

inline void widen(const Wide& v, I32 (&quarters)[4]) {
  widen(v.low, quarters[0], quarters[1]);
  widen(v.high, quarters[2], quarters[3]);
}

}  // namespace
}  // namespace snncore::kernels
