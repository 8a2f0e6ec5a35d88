#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void step_lifx_i32(const LifXTile& tile) {
  const size_t cp = tile.channels_padded;
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t word = 0; word < (tile.channels + 63) / 64; ++word) {
      int32_t v[64] = {};
      size_t age[64] = {};
      const size_t first = word * 64, left = tile.channels - first, count = left < 64 ? left : 64;
      for (size_t i = 0; tile.state != nullptr && i < count; ++i) {
        v[i] = tile.state[p * cp + first + i];
        age[i] = tile.age[p * cp + first + i];
      }
      for (size_t t = 0; t < tile.steps; ++t) {
        uint64_t spikes = 0;
        for (size_t i = 0; i < count; ++i) {
          const size_t c = first + i;
          const int32_t sum = tile.sums[t * tile.sums_t_stride + p * cp + c];
          const int32_t h = (v[i] >> 1) + (sum << tile.shift);
          const bool spike = h >= tile.theta[age[i] * cp + c];
          v[i] = spike ? 0 : h;
          age[i] = spike ? 0 : age[i] + 1;
          spikes |= static_cast<uint64_t>(spike) << i;
          if (tile.record != nullptr) tile.record[t * tile.record_t_stride + p * cp + c] = v[i];
        }
        tile.out[t * tile.out_t_stride + p * tile.out_stride + word] = spikes;
      }
      for (size_t i = 0; tile.state != nullptr && i < count; ++i) {
        tile.state[p * cp + first + i] = v[i];
        tile.age[p * cp + first + i] = static_cast<uint8_t>(age[i]);
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
