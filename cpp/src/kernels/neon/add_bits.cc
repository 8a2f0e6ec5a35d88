#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/add_bits.inc"
}  // namespace

void add_bits_i32(const uint64_t* row, size_t channels, const int32_t* factor, int32_t* to) {
  add_bits(row, channels, factor, to);
}

}  // namespace snncore::kernels::neon
