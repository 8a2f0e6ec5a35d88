#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

// Words are counted as they are, here and on every level that does not say otherwise.
void prepare_count_b1(uint32_t* /*rows*/, size_t /*count*/, size_t /*pitch*/, size_t /*third*/) {}

void count_b1b1_i32(const Patches& patches, const BitWeights& w, int32_t* sums) {
  const size_t cp = w.channels_padded;
  for (size_t p = 0; p < patches.count; ++p, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = w.ones[c];
    for (size_t i = 0; i < w.words; ++i) {
      const uint32_t x = patches.words[p * w.words + i];
      for (size_t c = 0; c < cp; ++c) {
        const uint32_t plus = w.bits[(c / kChannelPad * w.words + i) * kChannelPad + c % kChannelPad];
        sums[c] -= __builtin_popcount(x ^ plus);
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
