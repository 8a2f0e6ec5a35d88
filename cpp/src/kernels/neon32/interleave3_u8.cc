#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/interleave3_u8_neon.inc"
}  // namespace

void interleave3_u8(const uint8_t* const (&planes)[3], size_t count, uint8_t* to) {
  interleave3(planes, count, to);
}

}  // namespace snncore::kernels::neon32
