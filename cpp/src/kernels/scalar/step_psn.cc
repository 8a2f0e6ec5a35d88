#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void step_psn_f32(const PsnTile& tile) {
  for (size_t t = 0; t < tile.steps; ++t) {
    const float* const* planes = tile.planes + t * tile.first_stride;
    const float* weights = tile.weights + t * tile.weights_stride;
    for (size_t p = 0; p < tile.pixels; ++p) {
      uint64_t* row = tile.out + t * tile.out_t_stride + p * tile.out_stride;
      for (size_t c = 0; c < tile.channels; ++c) {
        const size_t at = p * tile.channels_padded + c;
        float h = 0;
        for (size_t j = 0; j < tile.taps; ++j) {
          if (planes[j] != nullptr) h += weights[j] * planes[j][at];
        }
        h += tile.bias[t * tile.bias_stride];
        if (c % 64 == 0) row[c / 64] = 0;
        row[c / 64] |= static_cast<uint64_t>(h >= 0) << c % 64;
        if (tile.record != nullptr) tile.record[t * tile.record_t_stride + at] = h;
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
