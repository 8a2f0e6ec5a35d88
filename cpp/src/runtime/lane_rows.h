// The spikes of a tile for sums that stay in lanes: lines that hold the columns of all steps side by side, so
// that vectors are full where images are small.
#pragma once

#include <algorithm>
#include <cstring>

#include "runtime/synapse_base.h"

namespace snncore::runtime {

class LaneRows {
 public:
  /// For layers of one group. With stride 1 the taps share blocks of lines, as in Raster: one or, with
  /// `columns`, one for each column of the window; else each has its own. Rows are ordered
  /// [block][line][step][column].
  LaneRows(const SynapseShape& shape, const Slot& input, bool columns)
      : shape_(shape),
        input_(input),
        shared_(shape.window.stride_h == 1 && shape.window.stride_w == 1),
        columns_(columns),
        width_(shape.window.out_w +
               (shared_ && !columns ? (shape.window.kernel_w - 1) * shape.window.dilation_w : 0)) {}

  [[nodiscard]] size_t most_rows(size_t pixels, size_t steps) const noexcept {
    return rows(most_lines(pixels), steps);
  }
  [[nodiscard]] size_t most_places(size_t pixels, size_t steps) const noexcept {
    return places(most_lines(pixels), steps);
  }
  /// Of a tile.
  [[nodiscard]] size_t rows(const Tile& tile) const noexcept { return rows(lines(tile), tile.steps); }
  [[nodiscard]] size_t places(const Tile& tile) const noexcept { return places(lines(tile), tile.steps); }
  /// From a place to that of the next step.
  [[nodiscard]] size_t step() const noexcept { return static_cast<size_t>(width_); }

  /// Memory behind what `read` gives, for tiles of at most so many pixels and steps.
  [[nodiscard]] size_t bytes(size_t pixels, size_t steps) const noexcept {
    return align_up(most_rows(pixels, steps) * input_.row_bytes) +
           align_up(shape_.window.taps() * sizeof(uint32_t)) + align_up(pixels * sizeof(uint32_t));
  }

  struct Read {
    kernels::SpikeLanes spikes;
    const uint32_t* places;  // of the tile's pixels at the first step
  };
  [[nodiscard]] Read read(const Frame& frame, const Tile& tile, std::byte* memory) const noexcept {
    auto* offsets = reinterpret_cast<uint32_t*>(memory);
    auto* pixels = reinterpret_cast<uint32_t*>(memory + align_up(shape_.window.taps() * sizeof(uint32_t)));
    std::byte* const to = reinterpret_cast<std::byte*>(pixels) + align_up(tile.count * sizeof(uint32_t));
    fill_offsets(tile, offsets);
    fill_places(tile, pixels);
    std::memset(to, 0, rows(tile) * input_.row_bytes);
    copy(frame, tile, to);
    return {{reinterpret_cast<const uint64_t*>(to), rows(tile), input_.row_bytes / sizeof(uint64_t), offsets,
             places(tile)},
            pixels};
  }

 private:
  [[nodiscard]] size_t most_lines(size_t pixels) const noexcept {
    const auto width = static_cast<size_t>(shape_.window.out_w);
    return std::min((pixels + 2 * width - 2) / width, static_cast<size_t>(shape_.window.out_h));
  }
  [[nodiscard]] size_t lines(const Tile& tile) const noexcept {
    const auto width = static_cast<size_t>(shape_.window.out_w);
    return (tile.first + tile.count - 1) / width - tile.first / width + 1;
  }
  [[nodiscard]] size_t places(size_t lines, size_t steps) const noexcept {
    return lines * steps * static_cast<size_t>(width_);
  }
  [[nodiscard]] size_t blocks() const noexcept {
    const Window& w = shape_.window;
    return !shared_ ? w.taps() : columns_ ? static_cast<size_t>(w.kernel_w) : 1;
  }
  [[nodiscard]] size_t block_lines(size_t lines) const noexcept {
    const Window& w = shape_.window;
    return lines + (shared_ ? static_cast<size_t>((w.kernel_h - 1) * w.dilation_h) : 0);
  }
  [[nodiscard]] size_t rows(size_t lines, size_t steps) const noexcept {
    const Window& w = shape_.window;
    const int64_t behind = shared_ && !columns_ ? (w.kernel_w - 1) * w.dilation_w : 0;  // the last place
    return blocks() * places(block_lines(lines), steps) + static_cast<size_t>(behind);
  }

  void fill_offsets(const Tile& tile, uint32_t* to) const noexcept {
    const Window& w = shape_.window;
    const size_t line = tile.steps * static_cast<size_t>(width_), block = block_lines(lines(tile)) * line;
    for (size_t ky = 0, tap = 0; ky < static_cast<size_t>(w.kernel_h); ++ky) {
      for (size_t kx = 0; kx < static_cast<size_t>(w.kernel_w); ++kx, ++tap) {
        const size_t down = ky * static_cast<size_t>(w.dilation_h) * line;
        *to++ = static_cast<uint32_t>(!shared_   ? tap * block
                                      : columns_ ? down + kx * block
                                                 : down + kx * static_cast<size_t>(w.dilation_w));
      }
    }
  }
  void fill_places(const Tile& tile, uint32_t* to) const noexcept {
    const auto width = static_cast<size_t>(shape_.window.out_w);
    const size_t end = tile.first + tile.count, pitch = tile.steps * static_cast<size_t>(width_);
    size_t line = tile.first / width;
    for (size_t p = tile.first, at = 0; p < end; ++line, at += pitch) {
      const size_t stop = std::min((line + 1) * width, end);
      for (size_t place = at + p - line * width; p < stop; ++p) *to++ = static_cast<uint32_t>(place++);
    }
  }

  // The rows that lie in the image.
  void copy(const Frame& frame, const Tile& tile, std::byte* to) const noexcept {
    const Window& w = shape_.window;
    const int64_t first = static_cast<int64_t>(tile.first) / w.out_w;
    const size_t count = block_lines(lines(tile)), pitch = static_cast<size_t>(width_) * input_.row_bytes;
    for (int64_t block = 0; block < static_cast<int64_t>(blocks()); ++block) {
      const int64_t left = block % w.kernel_w * w.dilation_w - w.pad_left;
      int64_t y = first * w.stride_h - w.pad_top + (shared_ ? 0 : block / w.kernel_w * w.dilation_h);
      for (size_t line = 0; line < count; ++line, y += w.stride_h, to += tile.steps * pitch) {
        if (y < 0 || y >= w.in_h) continue;
        for (size_t t = 0; t < tile.steps; ++t) {
          copy_line(input_.row(frame, tile.t + t, tile.n, static_cast<size_t>(y * w.in_w)), left,
                    to + t * pitch);
        }
      }
    }
  }
  // Columns `left` and every stride_w from there on, where the line has them.
  void copy_line(const std::byte* line, int64_t left, std::byte* to) const noexcept {
    const Window& w = shape_.window;
    const auto columns = [&](int64_t x) { return x > left ? (x - left + w.stride_w - 1) / w.stride_w : 0; };
    const int64_t begin = std::min(columns(0), width_), end = std::min(columns(w.in_w), width_);
    const size_t row = input_.row_bytes;
    const std::byte* from = line + (left + begin * w.stride_w) * static_cast<int64_t>(row);
    to += static_cast<size_t>(begin) * row;
    if (w.stride_w == 1) {
      std::memcpy(to, from, static_cast<size_t>(end - begin) * row);
      return;
    }
    for (int64_t x = begin; x < end; ++x, from += static_cast<size_t>(w.stride_w) * row, to += row)
      std::memcpy(to, from, row);
  }

  SynapseShape shape_;
  Slot input_;
  bool shared_, columns_;
  int64_t width_;  // rows of a line and step
};

}  // namespace snncore::runtime
