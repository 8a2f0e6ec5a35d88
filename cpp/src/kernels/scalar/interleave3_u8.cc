#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void interleave3_u8(const uint8_t* const (&planes)[3], size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t c = 0; c < 3; ++c) to[3 * i + c] = planes[c][i];
  }
}

}  // namespace snncore::kernels::scalar
