// Where a tile has few spikes to read: the output pixels that read one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/frame.h"
#include "runtime/window.h"

namespace snncore::runtime {

/// Finds the output pixels of a tile (of one step) that read a spike among the input pixels `low` to `high`.
/// Writes their places in the tile to `list`, in order, and returns how many there are; gives up, and returns
/// tile.count, where more than `most` input pixels have spikes. `marks` has a byte for each pixel of the
/// tile.
inline size_t touched_pixels(const Window& w, const Slot& input, const Frame& frame, const Tile& tile,
                             int64_t low, int64_t high, size_t most, uint8_t* marks,
                             uint32_t* list) noexcept {
  const auto first = static_cast<int64_t>(tile.first), last = first + static_cast<int64_t>(tile.count) - 1;
  const int64_t span_h = (w.kernel_h - 1) * w.dilation_h, span_w = (w.kernel_w - 1) * w.dilation_w;
  const size_t words = input.row_bytes / sizeof(uint64_t);
  const auto* row = input.row<uint64_t>(frame, tile.t, tile.n, static_cast<size_t>(low));
  // The outputs whose window, holes included, covers a line or column.
  const auto begin = [](int64_t at, int64_t span, int64_t stride) noexcept {
    return std::max<int64_t>(at - span + stride - 1, 0) / stride;
  };
  std::memset(marks, 0, tile.count);
  size_t seen = 0;
  for (int64_t pixel = low; pixel <= high; ++pixel, row += words) {
    if (words == 1 ? *row == 0 : std::all_of(row, row + words, [](uint64_t word) { return word == 0; }))
      continue;
    if (++seen > most) return tile.count;
    const int64_t y = pixel / w.in_w + w.pad_top, x = pixel % w.in_w + w.pad_left;
    const int64_t left = begin(x, span_w, w.stride_w), right = std::min(x / w.stride_w, w.out_w - 1);
    const int64_t bottom = std::min({y / w.stride_h, w.out_h - 1, last / w.out_w});
    for (int64_t line = std::max(begin(y, span_h, w.stride_h), first / w.out_w); line <= bottom; ++line) {
      const int64_t from = std::max(line * w.out_w + left, first),
                    to = std::min(line * w.out_w + right, last);
      if (from <= to) std::memset(marks + (from - first), 1, static_cast<size_t>(to - from + 1));
    }
  }
  size_t count = 0;
  for (uint32_t i = 0; i < tile.count; ++i) {
    list[count] = i;
    count += marks[i];
  }
  return count;
}

/// Spreads rows that lie one behind the other to their places in a tile, in place; the others become zero.
template <typename T>
void spread_rows(const uint32_t* list, size_t count, size_t pixels, size_t row, T* out) noexcept {
  for (size_t p = pixels; p-- > 0;) {
    if (count == 0 || list[count - 1] != p) {
      std::fill_n(out + p * row, row, T{});
    } else if (--count != p) {
      std::memcpy(out + p * row, out + count * row, row * sizeof(T));
    }
  }
}

}  // namespace snncore::runtime
