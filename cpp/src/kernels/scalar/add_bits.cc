#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void add_bits_i32(const uint64_t* row, size_t channels, const int32_t* factor, int32_t* to) {
  for (size_t c = 0; c < channels; ++c) to[c] += (row[c / 64] >> (c % 64) & 1) != 0 ? factor[c] : 0;
}

}  // namespace snncore::kernels::scalar
