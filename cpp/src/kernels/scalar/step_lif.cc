// The integer neuron as docs/format.md writes it, in int64 throughout.
#include "kernels/scalar/entries.h"
#include "kernels/scalar/lif.h"

namespace snncore::kernels::scalar {
namespace {

template <typename State>
void step_lif(const LifTile& tile, Range sat, Range store) {
  const size_t cp = tile.channels_padded;
  auto* state = static_cast<State*>(tile.state);
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t word = 0; word < (tile.channels + 63) / 64; ++word) {
      int64_t v[64] = {};
      const size_t first = word * 64, left = tile.channels - first, count = left < 64 ? left : 64;
      for (size_t i = 0; state != nullptr && i < count; ++i) v[i] = state[p * cp + first + i];
      for (size_t t = 0; t < tile.steps; ++t) {
        uint64_t spikes = 0;
        for (size_t i = 0; i < count; ++i) {
          const size_t c = first + i;
          const int64_t psi = tile.psi == nullptr ? -1 : tile.psi[c];
          const bool spike = step(tile, current(tile, t, p, c), tile.theta[c], psi, sat, store, v[i]);
          spikes |= static_cast<uint64_t>(spike) << i;
          if (tile.record != nullptr) {
            tile.record[t * tile.record_t_stride + p * cp + c] = static_cast<int32_t>(v[i]);
          }
        }
        tile.out[t * tile.out_t_stride + p * tile.out_stride + word] = spikes;
      }
      for (size_t i = 0; state != nullptr && i < count; ++i)
        state[p * cp + first + i] = static_cast<State>(v[i]);
    }
  }
}

}  // namespace

void step_lif_i8(const LifTile& tile) { step_lif<int8_t>(tile, kInt16, kSymmetric8); }
void step_lif_i16(const LifTile& tile) { step_lif<int16_t>(tile, kInt16, kInt16); }
void step_lif_i32(const LifTile& tile) { step_lif<int32_t>(tile, kInt32, kInt32); }

}  // namespace snncore::kernels::scalar
