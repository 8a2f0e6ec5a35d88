#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/count_columns_b1.inc"
}  // namespace

void count_columns_b1_i32(const uint64_t* x, const uint64_t* y, size_t rows, size_t words, size_t channels,
                          int32_t* out) {
  count_columns(x, y, rows, words, channels, out);
}

}  // namespace snncore::kernels::neon32
