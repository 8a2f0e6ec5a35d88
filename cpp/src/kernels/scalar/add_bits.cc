#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void add_bits_i32(const WeightedSpikes& spikes, size_t channels, bool add, int32_t* to) {
  for (size_t t = 0; t < spikes.steps; ++t) {
    for (size_t p = 0; p < spikes.pixels; ++p, to += channels) {
      const uint64_t* row = spikes.rows + t * spikes.t_stride + p * spikes.stride;
      for (size_t c = 0; c < channels; ++c) {
        const int32_t weight = (row[c / 64] >> (c % 64) & 1) != 0 ? spikes.factor[c] : 0;
        to[c] = add ? to[c] + weight : weight;
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
