// The integer neuron with membranes of 2 and 4 bits as docs/format.md writes it, in int64.
#include "kernels/scalar/entries.h"
#include "kernels/scalar/lif.h"

namespace snncore::kernels::scalar {
namespace {

// The field of channel c in a row of codes.
struct Field {
  uint8_t* byte;
  size_t shift;
  uint8_t mask;

  Field(const LifTile& tile, size_t p, size_t c) {
    const size_t bit = (p * tile.channels_padded + c) * tile.code_bits;
    byte = static_cast<uint8_t*>(tile.state) + bit / 8;
    shift = bit % 8;
    mask = static_cast<uint8_t>((1 << tile.code_bits) - 1);
  }
  [[nodiscard]] int64_t read() const {
    const int64_t field = (*byte >> shift) & mask, sign = (mask + 1) / 2;
    return (field ^ sign) - sign;
  }
  void write(int64_t code) const {
    const auto field = static_cast<uint8_t>((code & mask) << shift);
    *byte = static_cast<uint8_t>((*byte & ~(mask << shift)) | field);
  }
};

// What a code stands for; the one that no neuron stores, which somebody's state may hold, for nothing.
int64_t membrane(const LifTile& tile, int64_t code, const Range& codes) {
  return code < codes.lo ? 0 : tile.membranes[code + codes.hi];
}

void run_neuron(const LifTile& tile, size_t p, size_t c) {
  const size_t cp = tile.channels_padded;
  const Range codes{-((int64_t{1} << (tile.code_bits - 1)) - 1), (int64_t{1} << (tile.code_bits - 1)) - 1};
  const int64_t half = tile.code_shift > 0 ? int64_t{1} << (tile.code_shift - 1) : 0;
  int64_t code = tile.state == nullptr ? 0 : Field(tile, p, c).read();
  for (size_t t = 0; t < tile.steps; ++t) {
    int64_t v = membrane(tile, code, codes);
    const int64_t psi = tile.psi == nullptr ? -1 : tile.psi[c];
    const bool spike = step(tile, current(tile, t, p, c), tile.theta[c], psi, kInt16, kInt16, v);
    code = codes.clamp((v * codes.hi + half) >> tile.code_shift);
    uint64_t& word = tile.out[t * tile.out_t_stride + p * tile.out_stride + c / 64];
    if (c % 64 == 0) word = 0;
    word |= static_cast<uint64_t>(spike) << c % 64;
    if (tile.record != nullptr) {
      tile.record[t * tile.record_t_stride + p * cp + c] = static_cast<int32_t>(membrane(tile, code, codes));
    }
  }
  if (tile.state != nullptr) Field(tile, p, c).write(code);
}

}  // namespace

void step_lif_coded(const LifTile& tile) {
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t c = 0; c < tile.channels; ++c) run_neuron(tile, p, c);
  }
}

}  // namespace snncore::kernels::scalar
