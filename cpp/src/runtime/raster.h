// Input pixels side by side, as kernels read them whose lanes are pixels: the lines that a tile needs, with
// their padding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/align.h"
#include "kernels/table.h"
#include "runtime/frame.h"
#include "runtime/window.h"

namespace snncore::runtime {

/// With stride 1 the taps share blocks of lines, each at its own offset: one block or, with `columns`
/// (KernelTable::columns), one for each column of the window, whose lines follow each other without padding,
/// so that long vectors take several of them, and start on multiples of kernels::kPlaceAlign. Else each tap
/// has a block of its own. Rows are ordered [block][step][line][column].
class Raster {
 public:
  /// For tiles of at most `pixels` output pixels.
  Raster(const Window& w, size_t pixels, size_t steps, bool columns) noexcept
      : Raster(w, 0, std::min(static_cast<int64_t>(pixels + 2 * w.out_w - 2) / w.out_w, w.out_h), steps,
               columns) {}
  Raster(const Window& w, const Tile& tile, bool columns) noexcept
      : Raster(w, static_cast<int64_t>(tile.first) / w.out_w,
               static_cast<int64_t>(tile.first + tile.count - 1) / w.out_w -
                   static_cast<int64_t>(tile.first) / w.out_w + 1,
               tile.steps, columns) {}

  /// Taps whose rows lie side by side without `columns`: those of a line of the window, if its block is
  /// shared.
  static size_t run_taps(const Window& w) noexcept {
    return w.stride_h == 1 && w.stride_w == 1 && w.dilation_w == 1 ? static_cast<size_t>(w.kernel_w) : 1;
  }

  [[nodiscard]] size_t rows() const noexcept { return blocks() * block_rows(); }
  /// How many vectors of lanes the pixels of the tile take: each starts with the first pixel that the one
  /// before does not hold.
  [[nodiscard]] size_t vectors(const Tile& tile, int64_t lanes) const noexcept {
    size_t count = 0;
    int64_t held = 0;  // places before it
    for (size_t t = 0; t < steps_; ++t) {
      int64_t line = place(t, static_cast<int64_t>(tile.first)), column = line % width_;
      auto left = static_cast<int64_t>(tile.count);
      for (line -= column; left > 0; line += width_, column = 0) {
        const int64_t pixels = std::min(left, w_.out_w - column), from = line + column;
        for (held = std::max(held, from); held < from + pixels; held += lanes) ++count;
        left -= pixels;
      }
    }
    return count;
  }

  void offsets(uint32_t* to) const noexcept {
    size_t tap = 0;
    for (int64_t ky = 0; ky < w_.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < w_.kernel_w; ++kx, ++tap) {
        const int64_t line = ky * w_.dilation_h * width_, block = kx * static_cast<int64_t>(block_rows());
        *to++ = static_cast<uint32_t>(!shared_   ? tap * block_rows()
                                      : columns_ ? static_cast<size_t>(line + block)
                                                 : static_cast<size_t>(line + kx * w_.dilation_w));
      }
    }
  }

  void places(const Tile& tile, uint32_t* to) const noexcept {
    const auto first = static_cast<int64_t>(tile.first), end = static_cast<int64_t>(tile.first + tile.count);
    for (size_t t = 0; t < steps_; ++t) {
      for (int64_t p = first; p < end;) {
        const int64_t line_end = std::min(end, (p / w_.out_w + 1) * w_.out_w);
        for (auto at = static_cast<uint32_t>(place(t, p)); p < line_end; ++p) *to++ = at++;
      }
    }
  }

  /// Rows side by side: padding but from `begin` to before `end`, which are the input pixels `pixel`,
  /// `pixel + step` ...
  struct Line {
    size_t t, rows, begin, end, pixel, step;
  };

  /// Calls f(Line) for every line, in order.
  template <typename F>
  void for_lines(F&& f) const noexcept {
    for (int64_t block = 0; block < static_cast<int64_t>(blocks()); ++block) {
      const int64_t top = first_ * w_.stride_h - w_.pad_top + block / w_.kernel_w * w_.dilation_h;
      const int64_t left = block % w_.kernel_w * w_.dilation_w - w_.pad_left;
      const auto [begin, end] = inside(left);
      for (size_t t = 0; t < steps_; ++t) {
        for (int64_t line = 0; line < lines_; ++line) {
          const int64_t y = top + line * w_.stride_h, pixel = y * w_.in_w + left + begin * w_.stride_w;
          const bool empty = y < 0 || y >= w_.in_h || begin == end;
          f(Line{t, static_cast<size_t>(width_), empty ? 0 : static_cast<size_t>(begin),
                 empty ? 0 : static_cast<size_t>(end), empty ? 0 : static_cast<size_t>(pixel),
                 static_cast<size_t>(w_.stride_w)});
        }
      }
    }
  }

 private:
  Raster(const Window& w, int64_t first, int64_t lines, size_t steps, bool columns) noexcept
      : w_(w),
        shared_(w.stride_h == 1 && w.stride_w == 1),
        columns_(columns),
        first_(first),
        lines_(lines + (shared_ ? (w.kernel_h - 1) * w.dilation_h : 0)),
        width_(columns ? padded(w.out_w) : w.out_w + (shared_ ? (w.kernel_w - 1) * w.dilation_w : 0)),
        steps_(steps) {}

  static int64_t padded(int64_t width) noexcept {
    return static_cast<int64_t>(align_up(static_cast<size_t>(width), kernels::kPlaceAlign));
  }

  // The rows of a line whose columns, `left` and every stride_w from there on, lie in the image.
  [[nodiscard]] std::pair<int64_t, int64_t> inside(int64_t left) const noexcept {
    const int64_t begin = left < 0 ? (-left + w_.stride_w - 1) / w_.stride_w : 0;
    const int64_t end = left < w_.in_w ? (w_.in_w - left + w_.stride_w - 1) / w_.stride_w : 0;
    return {std::min(begin, width_), std::clamp(end, std::min(begin, width_), width_)};
  }
  [[nodiscard]] int64_t place(size_t t, int64_t pixel) const noexcept {
    const int64_t line = static_cast<int64_t>(t) * lines_ + pixel / w_.out_w - first_;
    return line * width_ + pixel % w_.out_w;
  }
  [[nodiscard]] size_t blocks() const noexcept {
    return !shared_ ? w_.taps() : columns_ ? static_cast<size_t>(w_.kernel_w) : 1;
  }
  [[nodiscard]] size_t block_rows() const noexcept { return steps_ * static_cast<size_t>(lines_ * width_); }

  const Window& w_;
  bool shared_, columns_;
  int64_t first_;  // output line
  int64_t lines_, width_;
  size_t steps_;
};

}  // namespace snncore::runtime
