#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

constexpr int32_t kHalf24 = 1 << 23;

int32_t tz12(int32_t x, int32_t factor) {
  const int64_t product = int64_t{x < 0 ? -x : x} * factor >> 12;
  return static_cast<int32_t>(x < 0 ? -product : product);
}

int32_t wrap24(int32_t i) {
  if (i > kHalf24) return i - 2 * kHalf24;
  return i <= -kHalf24 ? i + 2 * kHalf24 : i;
}

int32_t clamp24(int32_t v) {
  if (v >= kHalf24) return kHalf24 - 1;
  return v <= -kHalf24 ? 1 - kHalf24 : v;
}

}  // namespace

void step_cuba_i32(const CubaTile& tile) {
  const size_t cp = tile.channels_padded, words = (tile.channels + 63) / 64;
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t word = 0; word < words; ++word) {
      int32_t current[64] = {}, v[64] = {};
      const size_t first = word * 64, left = tile.channels - first, count = left < 64 ? left : 64;
      int32_t* state = tile.state == nullptr ? nullptr : tile.state + 2 * p * cp + first;
      for (size_t k = 0; state != nullptr && k < count; ++k) current[k] = state[k], v[k] = state[cp + k];
      for (size_t t = 0; t < tile.steps; ++t) {
        uint64_t spikes = 0;
        for (size_t k = 0; k < count; ++k) {
          const size_t c = first + k, at = t * tile.record_t_stride + p * cp + c;
          const int32_t in = tile.currents[t * tile.currents_t_stride + p * cp + c];
          current[k] = wrap24(tz12(current[k], tile.current_decay) + (in << tile.input_shift));
          v[k] = clamp24(tz12(v[k], tile.decay) + current[k] + tile.bias[c]);
          const bool spike = v[k] >= tile.theta[c];
          if (spike) v[k] = 0;
          spikes |= static_cast<uint64_t>(spike) << k;
          if (tile.record != nullptr) tile.record[at] = v[k];
          if (tile.record_current != nullptr) tile.record_current[at] = current[k];
        }
        tile.out[t * tile.out_t_stride + p * tile.out_stride + word] = spikes;
      }
      for (size_t k = 0; state != nullptr && k < count; ++k) state[k] = current[k], state[cp + k] = v[k];
    }
  }
}

}  // namespace snncore::kernels::scalar
