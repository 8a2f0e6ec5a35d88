#include "kernels/row_bounds.h"

#include <algorithm>

namespace snncore::kernels {
namespace {

// Of `rows` rows of `width` codes: the largest sum of the positive, or of the negative, codes of a channel.
uint16_t bound(const int8_t* codes, size_t rows, size_t width) noexcept {
  int32_t up[kCodeBlock] = {}, down[kCodeBlock] = {};
  for (size_t r = 0; r < rows; ++r, codes += width) {
    for (size_t c = 0; c < width; ++c) (codes[c] > 0 ? up : down)[c] += codes[c];
  }
  int32_t most = 0;
  for (size_t c = 0; c < width; ++c) most = std::max({most, up[c], -down[c]});
  return static_cast<uint16_t>(most);
}

}  // namespace

void fill_row_bounds(const int8_t* codes, size_t inputs, size_t taps, size_t channels_padded,
                     uint16_t* bounds) noexcept {
  const CodeParts parts{inputs, taps, channels_padded};
  for (size_t c = 0; c < channels_padded; c += kCodeBlock) {
    const size_t width = std::min(kCodeBlock, channels_padded - c);
    for (size_t i = 0; i < parts.count(); ++i) {
      const size_t rows = parts.at(i).rows;
      *bounds++ = bound(codes, rows, width);
      codes += (rows + 1) * width;
    }
  }
}

}  // namespace snncore::kernels
