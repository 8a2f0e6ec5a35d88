#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {
#include "kernels/body/add_bits.inc"
}  // namespace

void add_bits_i32(const uint64_t* row, size_t channels, const int32_t* factor, int32_t* to) {
  add_bits(row, channels, factor, to);
}

}  // namespace snncore::kernels::avx512
