#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

void add_row(const int8_t* codes, size_t width, bool odd, int32_t* sums) {
  for (size_t c = 0; c < width; ++c) sums[c] += odd ? 2 * codes[c] + 1 : codes[c];
}

}  // namespace

void addrows_b1i8_i32(const SpikeTile& spikes, const RowWeights& w, int32_t* sums, std::byte*) {
  const CodeParts parts = w.parts();
  const size_t cp = w.channels_padded, rows = parts.rows();
  for (size_t p = 0; p < spikes.pixels; ++p, sums += cp) {
    for (size_t c = 0; c < cp; ++c) sums[c] = 0;
    for (size_t tap = 0; tap < w.taps; ++tap) {
      const uint64_t* row = spikes.rows[spikes.index[p * w.taps + tap]];
      for (size_t i = 0; i < w.inputs; ++i) {
        if ((row[i / 64] >> (i % 64) & 1) == 0) continue;
        const size_t r = parts.row(tap, i);
        for (size_t c = 0; c < cp; c += kCodeBlock) {
          const size_t width = cp - c < kCodeBlock ? cp - c : kCodeBlock;
          add_row(w.codes + row_weight<kCodeBlock>(r, c, rows, cp), width, w.odd, sums + c);
        }
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
