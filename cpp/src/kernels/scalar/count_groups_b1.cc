#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void count_groups_b1_i32(const GroupRows& rows, int32_t* out, size_t stride) {
  for (size_t r = 0; r < rows.count; ++r, out += stride) {
    for (size_t g = 0; g < stride; ++g) out[g] = 0;
    for (size_t i = 0; i < rows.groups * rows.dim; ++i) {
      const size_t at = r * rows.words + i / 64;
      const uint64_t word = rows.y == nullptr ? rows.x[at] : rows.x[at] & rows.y[at];
      out[i / rows.dim] += static_cast<int32_t>(word >> (i % 64) & 1);
    }
  }
}

}  // namespace snncore::kernels::scalar
