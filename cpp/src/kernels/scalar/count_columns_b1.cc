#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void count_columns_b1_i32(const uint64_t* x, const uint64_t* y, size_t rows, size_t words, size_t channels,
                          int32_t* out) {
  for (size_t c = 0; c < channels; ++c) out[c] = 0;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < channels; ++c) {
      const size_t at = r * words + c / 64;
      const uint64_t word = y == nullptr ? x[at] : x[at] & y[at];
      out[c] += static_cast<int32_t>(word >> (c % 64) & 1);
    }
  }
}

}  // namespace snncore::kernels::scalar
