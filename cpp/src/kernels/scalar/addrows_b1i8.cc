#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void addrows_b1i8_i32(const SpikeTile& spikes, const RowWeights& w, int32_t* sums, std::byte*) {
  const size_t cp = w.channels_padded, rows = code_rows(w.inputs, w.taps);
  for (size_t p = 0; p < spikes.pixels; ++p, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = 0;
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* row = spikes.rows[spikes.index[p * w.taps + tap]];
      for (size_t i = 0; i < w.inputs; ++i) {
        if ((row[i / 64] >> (i % 64) & 1) == 0) continue;
        for (size_t c = 0; c < cp; ++c) {
          const int32_t code = w.codes[row_weight<kCodeBlock>(code_row(tap, i, w.inputs), c, rows, cp)];
          sums[c] += w.odd ? 2 * code + 1 : code;
        }
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
