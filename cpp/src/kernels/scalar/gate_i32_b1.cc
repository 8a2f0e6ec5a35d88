#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void gate_i32_b1(const GateTile& tile) {
  const size_t words = (tile.channels + 63) / 64;
  for (size_t r = 0; r < tile.rows; ++r) {
    uint64_t* out = tile.out + r * words;
    for (size_t w = 0; w < words; ++w) out[w] = 0;
    for (size_t c = 0; c < tile.channels; ++c) {
      double sum = 0;
      for (size_t j = 0; j < tile.count; ++j) {
        const GateTerm& term = tile.terms[j];
        sum += term.weights[c] * term.sums[r * term.stride + c];
      }
      out[c / 64] |= uint64_t{sum >= tile.threshold} << (c % 64);
    }
  }
}

}  // namespace snncore::kernels::scalar
