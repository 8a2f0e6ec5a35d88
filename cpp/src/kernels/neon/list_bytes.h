#pragma once

#include "kernels/neon/simd.h"

namespace snncore::kernels {
namespace {

#include "kernels/body/byte_table.inc"

class ByteLister {
 public:
  explicit ByteLister(uint32_t pitch) : scale_(vdupq_n_u32(pitch)), step_(vdupq_n_u32(8 * pitch)) {}

  // Lists base + pitch * i for the set bits i of the first `bytes` bytes (all, if more than 8) and returns
  // the end; writes up to 8 more.
  uint32_t* list(uint64_t spikes, size_t bytes, uint32_t base, uint32_t* to) const {
    uint32x4_t from = vdupq_n_u32(base);
    for (size_t b = 0; b < 8 && b < bytes; ++b, spikes >>= 8) {
      const size_t byte = static_cast<size_t>(spikes & 0xff);
      const uint16x8_t positions = vmovl_u8(vld1_u8(kBytes.position[byte]));
      vst1q_u32(to, vmlaq_u32(from, vmovl_u16(vget_low_u16(positions)), scale_));
      vst1q_u32(to + 4, vmlaq_u32(from, vmovl_u16(vget_high_u16(positions)), scale_));
      from = vaddq_u32(from, step_);
      to += kBytes.count[byte];
    }
    return to;
  }

 private:
  uint32x4_t scale_, step_;
};

}  // namespace
}  // namespace snncore::kernels
