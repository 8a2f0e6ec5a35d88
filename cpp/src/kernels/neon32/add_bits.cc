#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/add_bits.inc"
}  // namespace

void add_bits_i32(const WeightedSpikes& spikes, size_t channels, bool add, int32_t* to) {
  add_bits(spikes, channels, add, to);
}

}  // namespace snncore::kernels::neon32
