#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// Words of 32 inputs, as the weights have them.
uint32_t word(const uint64_t* row, size_t i) { return static_cast<uint32_t>(row[i / 2] >> (i % 2 * 32)); }

}  // namespace

void count_b1b1_i32(const SpikeTile& spikes, const BitWeights& w, int32_t* sums) {
  const size_t cp = w.channels_padded, words = (w.inputs + 31) / 32;
  for (size_t p = 0; p < spikes.pixels; ++p, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = w.ones[c];
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* row = spikes.rows[spikes.index[p * w.taps + tap]];
      for (size_t i = 0; i < words; ++i) {
        const uint32_t x = word(row, i);
        for (size_t c = 0; c < cp; ++c) {
          const size_t at = c / kChannelPad * w.taps * words + tap * words + i;
          const uint32_t plus = w.bits[at * kChannelPad + c % kChannelPad];
          sums[c] -= __builtin_popcount(x ^ plus);
        }
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
