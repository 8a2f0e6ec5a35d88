#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {

void lines_u8i8_lanes(const ByteLines& x, const LineWeights& w, int32_t* lanes, size_t pitch) {
  const size_t row = 4 * w.groups;
  for (size_t c = 0; c < w.channels; ++c) {
    const int8_t* codes = w.codes + c * w.rows * row;
    for (size_t l = 0; l < x.lines; ++l) {
      for (size_t p = 0; p < x.width; ++p) {
        const uint8_t* from = x.bytes + l * x.line_stride + p * x.place_bytes;
        int32_t sum = w.init[c];
        for (size_t r = 0; r < w.rows; ++r) {
          for (size_t k = 0; k < row; ++k) sum += codes[r * row + k] * from[r * x.row_stride + k];
        }
        lanes[c * pitch + l * line_lanes(x.width) + p] = sum;
      }
    }
  }
}

}  // namespace snncore::kernels::scalar
