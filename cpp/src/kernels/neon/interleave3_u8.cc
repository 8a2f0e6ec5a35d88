#include "kernels/neon/entries.h"
#include "kernels/neon/simd.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/interleave3_u8_neon.inc"
}  // namespace

void interleave3_u8(const uint8_t* const (&planes)[3], size_t count, uint8_t* to) {
  interleave3(planes, count, to);
}

}  // namespace snncore::kernels::neon
