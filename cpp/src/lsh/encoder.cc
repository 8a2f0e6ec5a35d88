#include "lsh/encoder.h"

#include <algorithm>

namespace snncore::lsh {

void sign_bits(const float* logits, size_t count, size_t bits, uint64_t* codes) noexcept {
  for (size_t row = 0; row < count; ++row, logits += bits) {
    for (size_t first = 0; first < bits; first += 64) {
      const size_t in_word = std::min<size_t>(64, bits - first);
      uint64_t word = 0;
      for (size_t i = 0; i < in_word; ++i) word |= uint64_t{logits[first + i] >= 0} << i;
      *codes++ = word;
    }
  }
}

}  // namespace snncore::lsh
