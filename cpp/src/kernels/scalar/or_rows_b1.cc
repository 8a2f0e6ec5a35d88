#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void or_rows_b1(const uint64_t* const* rows, size_t count, uint64_t* out, size_t words) {
  for (size_t w = 0; w < words; ++w) {
    uint64_t any = 0;
    for (size_t r = 0; r < count; ++r) any |= rows[r][w];
    out[w] = any;
  }
}

}  // namespace snncore::kernels::scalar
