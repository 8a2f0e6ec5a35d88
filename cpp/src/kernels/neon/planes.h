// What the attention kernels need of NEON by name, for 64-bit and for 32-bit Arm.
#pragma once

#include "kernels/neon/simd.h"
#include "kernels/table.h"

namespace snncore::kernels {
namespace {

using U8 = VectorOf<uint8_t>::Type;

// Eight words.
struct Block {
  U64 vectors[4];

  explicit Block(const uint64_t* from)
      : vectors{load<U64>(from), load<U64>(from + 2), load<U64>(from + 4), load<U64>(from + 6)} {}
  Block(const uint64_t* from, size_t stride)
      : vectors{{from[0], from[stride]},
                {from[2 * stride], from[3 * stride]},
                {from[4 * stride], from[5 * stride]},
                {from[6 * stride], from[7 * stride]}} {}
  explicit Block(const U64 (&from)[4]) : vectors{from[0], from[1], from[2], from[3]} {}

  void store(void* to) const {
    for (size_t i = 0; i < 4; ++i) kernels::store(static_cast<uint64_t*>(to) + 2 * i, vectors[i]);
  }

  // Byte j of word i becomes byte i of word j: pairs of bytes, then pairs of pairs, then halves.
  [[nodiscard]] Block transposed() const {
    uint16x4x2_t pairs[4];  // [even bytes, odd bytes] of words 2 * i and 2 * i + 1
    for (size_t i = 0; i < 4; ++i) {
      const auto words = reinterpret_cast<uint8x16_t>(vectors[i]);
      const uint8x8x2_t bytes = vtrn_u8(vget_low_u8(words), vget_high_u8(words));
      pairs[i] = {{vreinterpret_u16_u8(bytes.val[0]), vreinterpret_u16_u8(bytes.val[1])}};
    }
    uint32x2x2_t columns[4];  // words i and i + 4
    for (size_t odd = 0; odd < 2; ++odd) {
      const uint16x4x2_t low = vtrn_u16(pairs[0].val[odd], pairs[1].val[odd]);
      const uint16x4x2_t high = vtrn_u16(pairs[2].val[odd], pairs[3].val[odd]);
      for (size_t i = 0; i < 2; ++i) {
        columns[odd + 2 * i] = vtrn_u32(vreinterpret_u32_u16(low.val[i]), vreinterpret_u32_u16(high.val[i]));
      }
    }
    const auto join = [&columns](size_t i, size_t half) {
      return reinterpret_cast<U64>(vcombine_u32(columns[i].val[half], columns[i + 1].val[half]));
    };
    const U64 out[4] = {join(0, 0), join(2, 0), join(0, 1), join(2, 1)};
    return Block(out);
  }
};

inline constexpr size_t kTileRows = sizeof(void*) == 8 ? 4 : 2;  // 32 or 16 registers

struct Lanes {
  uint8x16_t bytes;

  Lanes() = default;
  explicit Lanes(const uint8_t* from) : bytes(vld1q_u8(from)) {}
};

struct Key {
  uint8x16_t bytes;

  explicit Key(const uint8_t* byte) : bytes(vld1q_dup_u8(byte)) {}
};

inline U8 add_overlap(U8 sum, const Lanes& lanes, const Key& key) {
  return sum + reinterpret_cast<U8>(vcntq_u8(vandq_u8(lanes.bytes, key.bytes)));
}

inline void widen_counts(U8 v, U16& low, U16& high) {
  const auto bytes = reinterpret_cast<uint8x16_t>(v);
  low = reinterpret_cast<U16>(vmovl_u8(vget_low_u8(bytes)));
  high = reinterpret_cast<U16>(vmovl_u8(vget_high_u8(bytes)));
}

inline void widen_sums(U16 v, I32& low, I32& high) {
  low = reinterpret_cast<I32>(vmovl_u16(vget_low_u16(reinterpret_cast<uint16x8_t>(v))));
  high = reinterpret_cast<I32>(vmovl_u16(vget_high_u16(reinterpret_cast<uint16x8_t>(v))));
}

// One bit for each of 64 unsigned bytes: each lane keeps its bit and neighbours are added.
inline uint64_t at_least(const U8 (&sums)[4], uint32_t threshold) {
  constexpr uint8_t kBit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t bit = vld1q_u8(kBit), least = vdupq_n_u8(static_cast<uint8_t>(threshold));
  uint8x8_t pairs[4];
  for (size_t v = 0; v < 4; ++v) {
    const uint8x16_t bits = vandq_u8(vcgeq_u8(reinterpret_cast<uint8x16_t>(sums[v]), least), bit);
    pairs[v] = vpadd_u8(vget_low_u8(bits), vget_high_u8(bits));
  }
  const uint8x8_t bytes = vpadd_u8(vpadd_u8(pairs[0], pairs[1]), vpadd_u8(pairs[2], pairs[3]));
  return vget_lane_u64(vreinterpret_u64_u8(bytes), 0);
}

}  // namespace
}  // namespace snncore::kernels
