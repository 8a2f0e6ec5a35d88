// The integer neuron of three states as docs/format.md writes it.
#include "kernels/scalar/entries.h"
#include "kernels/scalar/field.h"
#include "kernels/scalar/lif.h"

namespace snncore::kernels::scalar {
namespace {

void run_states(const LifTile& tile, size_t p, size_t c) {
  const size_t cp = tile.channels_padded;
  int64_t code = tile.state == nullptr ? 0 : Field(tile.state, p * cp + c, 2).read();
  for (size_t t = 0; t < tile.steps; ++t) {
    const int64_t x = current(tile, t, p, c);
    const size_t state = code < 0 ? 0 : code > 0 ? 2 : 1;  // the code that no neuron stores counts as -1
    const bool spike = x >= tile.theta[state * cp + c];
    const int32_t* gamma = tile.gamma + 2 * state * cp + c;
    code = spike ? 0 : -1 + (x >= gamma[0] ? 1 : 0) + (x >= gamma[cp] ? 1 : 0);
    uint64_t& word = tile.out[t * tile.out_t_stride + p * tile.out_stride + c / 64];
    if (c % 64 == 0) word = 0;
    word |= static_cast<uint64_t>(spike) << c % 64;
    if (tile.record != nullptr)
      tile.record[t * tile.record_t_stride + p * cp + c] = static_cast<int32_t>(code);
  }
  if (tile.state != nullptr) Field(tile.state, p * cp + c, 2).write(code);
}

}  // namespace

void step_lif_states(const LifTile& tile) {
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t c = 0; c < tile.channels; ++c) run_states(tile, p, c);
  }
}

}  // namespace snncore::kernels::scalar
