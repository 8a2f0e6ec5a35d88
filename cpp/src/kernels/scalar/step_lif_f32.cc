#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// A factor of 1 changes no float, so it needs no case of its own.
bool step(const LifFloatTile& tile, float x, float& v) {
  const float g = tile.input_gain * x;
  const float h = tile.decay * v + g;
  const bool spike = tile.strict ? h > tile.threshold : h >= tile.threshold;
  if (tile.subtract) {
    v = h - (spike ? tile.threshold : 0.0f);
  } else {
    v = spike ? 0.0f : h;
  }
  return spike;
}

}  // namespace

void step_lif_f32(const LifFloatTile& tile) {
  const size_t cp = tile.channels_padded;
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t word = 0; word < (tile.channels + 63) / 64; ++word) {
      float v[64] = {};
      const size_t first = word * 64, left = tile.channels - first, count = left < 64 ? left : 64;
      for (size_t i = 0; tile.state != nullptr && i < count; ++i) v[i] = tile.state[p * cp + first + i];
      for (size_t t = 0; t < tile.steps; ++t) {
        uint64_t spikes = 0;
        for (size_t i = 0; i < count; ++i) {
          const size_t c = first + i;
          const bool spike = step(tile, tile.currents[t * tile.currents_t_stride + p * cp + c], v[i]);
          spikes |= static_cast<uint64_t>(spike) << i;
          if (tile.record != nullptr) tile.record[t * tile.record_t_stride + p * cp + c] = v[i];
        }
        tile.out[t * tile.out_t_stride + p * tile.out_stride + word] = spikes;
      }
      for (size_t i = 0; tile.state != nullptr && i < count; ++i) tile.state[p * cp + first + i] = v[i];
    }
  }
}

}  // namespace snncore::kernels::scalar
