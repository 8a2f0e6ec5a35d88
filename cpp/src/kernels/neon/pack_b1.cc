#include "kernels/neon/entries.h"
#include "kernels/neon/simd.h"

namespace snncore::kernels::neon {
namespace {

#include "kernels/body/pack_b1.inc"

// Of bytes that are all ones or all zeros.
uint64_t word_of(const uint8x16_t (&set)[4]) {
  const uint8x16_t places = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint8x16_t low = vpaddq_u8(vandq_u8(set[0], places), vandq_u8(set[1], places));
  const uint8x16_t high = vpaddq_u8(vandq_u8(set[2], places), vandq_u8(set[3], places));
  const uint8x16_t quarters = vpaddq_u8(low, high);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(quarters, quarters)), 0);
}
uint8x8_t set_of(const float* from) {
  const uint16x4_t low = vmovn_u32(vceqzq_f32(vld1q_f32(from)));
  const uint16x4_t high = vmovn_u32(vceqzq_f32(vld1q_f32(from + 4)));
  return vmvn_u8(vmovn_u16(vcombine_u16(low, high)));
}

struct Bytes {
  static uint64_t word(const uint8_t* from) {
    uint8x16_t set[4];
    for (size_t i = 0; i < 4; ++i) {
      const uint8x16_t bytes = vld1q_u8(from + 16 * i);
      set[i] = vtstq_u8(bytes, bytes);
    }
    return word_of(set);
  }
  static uint64_t part(const uint8_t* from, size_t count) { return bits_of(from, count); }
};
struct Floats {
  static uint64_t word(const float* from) {
    uint8x16_t set[4];
    for (size_t i = 0; i < 4; ++i) set[i] = vcombine_u8(set_of(from + 16 * i), set_of(from + 16 * i + 8));
    return word_of(set);
  }
  static uint64_t part(const float* from, size_t count) { return bits_of(from, count); }
};

}  // namespace

void pack_u8_b1(const uint8_t* from, size_t count, uint64_t* to) { pack_elements<Bytes>(from, count, to); }
void pack_f32_b1(const float* from, size_t count, uint64_t* to) { pack_elements<Floats>(from, count, to); }

}  // namespace snncore::kernels::neon
