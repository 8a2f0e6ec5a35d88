// The spikes of a tile for sums that stay in lanes.
#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/lanes.h"
#include "kernels/spikes.h"
#include "runtime/sum_methods.h"
#include "runtime/synapse_base.h"

namespace snncore::runtime {

class LaneRows {
 public:
  /// For layers of one group, whose lines are filled up to a multiple of `align` places. With stride 1 the
  /// taps share blocks of lines, as in Raster: one or, with `columns`, one for each column of the window;
  /// else each has its own. Rows are ordered [block][step][line][column]. Where an image is so small that
  /// this leaves vectors empty, the columns of all steps lie side by side: [block][line][step][column].
  LaneRows(const SynapseShape& shape, const Slot& input, bool columns, size_t align)
      : shape_(shape),
        input_(input),
        shared_(shape.window.stride_h == 1 && shape.window.stride_w == 1),
        columns_(columns),
        width_(static_cast<int64_t>(
            align_up(static_cast<size_t>(
                         shape.window.out_w +
                         (shared_ && !columns ? (shape.window.kernel_w - 1) * shape.window.dilation_w : 0)),
                     align))) {}

  /// How so many lines of places and steps lie.
  struct Form {
    size_t block_lines;        // of a step
    size_t line, step, block;  // from one to the next
    size_t places, stretches;  // as kernels::SpikeLanes has them
    size_t rows;

    Form(const LaneRows& r, size_t lines, size_t steps) noexcept {
      const Window& w = r.shape_.window;
      const auto width = static_cast<size_t>(r.width_);
      block_lines = lines + (r.shared_ ? static_cast<size_t>((w.kernel_h - 1) * w.dilation_h) : 0);
      const auto tails = [](size_t n) { return (n + kernels::kLaneTail - 1) / kernels::kLaneTail; };
      const bool beside = tails(steps * lines * width) < steps * tails(lines * width);
      line = beside ? steps * width : width;
      step = beside ? width : block_lines * width;
      block = steps * block_lines * width;
      places = beside ? steps * lines * width : lines * width;
      stretches = beside ? 1 : steps;
      // A place of padding reads beyond the line, the last of them beyond the last line.
      const int64_t behind = r.shared_ && !r.columns_ ? (w.kernel_w - 1) * w.dilation_w : 0;
      rows = r.blocks() * block + static_cast<size_t>(behind);
    }
    [[nodiscard]] size_t end() const noexcept { return (stretches - 1) * step + places; }
    /// Of so many places, that the sums take.
    [[nodiscard]] size_t vectors(size_t lanes) const noexcept {
      return stretches * ((places + lanes - 1) / lanes);
    }
  };
  [[nodiscard]] Form form(const Tile& tile) const noexcept { return {*this, lines(tile), tile.steps}; }

  [[nodiscard]] size_t most_rows(size_t pixels, size_t steps) const noexcept {
    return Form(*this, most_lines(pixels), steps).rows;
  }
  [[nodiscard]] size_t most_places(size_t pixels, size_t steps) const noexcept {
    return steps * Form(*this, most_lines(pixels), 1).block;  // at least
  }

  /// Memory behind what `read` gives, for tiles of at most so many pixels and steps.
  [[nodiscard]] size_t bytes(size_t pixels, size_t steps) const noexcept {
    return align_up(most_rows(pixels, steps) * input_.row_bytes) +
           align_up(shape_.window.taps() * sizeof(uint32_t)) + align_up(pixels * sizeof(uint32_t));
  }

  struct Read {
    kernels::SpikeLanes spikes;
    const uint32_t* places;  // of the tile's pixels at the first step
    std::byte* rest;         // of the memory
  };
  /// `f`: the form of the tile.
  [[nodiscard]] Read read(const Frame& frame, const Tile& tile, const Form& f,
                          std::byte* memory) const noexcept {
    auto* offsets = reinterpret_cast<uint32_t*>(memory);
    auto* pixels = reinterpret_cast<uint32_t*>(memory + align_up(shape_.window.taps() * sizeof(uint32_t)));
    std::byte* const to = reinterpret_cast<std::byte*>(pixels) + align_up(tile.count * sizeof(uint32_t));
    fill_offsets(f, offsets);
    fill_places(f, tile, pixels);
    std::memset(to, 0, f.rows * input_.row_bytes);
    copy(f, frame, tile, to);
    return {{reinterpret_cast<const uint64_t*>(to), f.rows, input_.row_bytes / sizeof(uint64_t), offsets,
             f.places, f.stretches, f.step},
            pixels,
            to + align_up(f.rows * input_.row_bytes)};
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
  [[nodiscard]] size_t blocks() const noexcept {
    const Window& w = shape_.window;
    return !shared_ ? w.taps() : columns_ ? static_cast<size_t>(w.kernel_w) : 1;
  }

  void fill_offsets(const Form& f, uint32_t* to) const noexcept {
    const Window& w = shape_.window;
    for (size_t ky = 0, tap = 0; ky < static_cast<size_t>(w.kernel_h); ++ky) {
      for (size_t kx = 0; kx < static_cast<size_t>(w.kernel_w); ++kx, ++tap) {
        const size_t down = ky * static_cast<size_t>(w.dilation_h) * f.line;
        *to++ = static_cast<uint32_t>(!shared_   ? tap * f.block
                                      : columns_ ? down + kx * f.block
                                                 : down + kx * static_cast<size_t>(w.dilation_w));
      }
    }
  }
  void fill_places(const Form& f, const Tile& tile, uint32_t* to) const noexcept {
    const auto width = static_cast<size_t>(shape_.window.out_w);
    const size_t end = tile.first + tile.count;
    size_t line = tile.first / width;
    for (size_t p = tile.first, at = 0; p < end; ++line, at += f.line) {
      const size_t stop = std::min((line + 1) * width, end);
      for (size_t place = at + p - line * width; p < stop; ++p) *to++ = static_cast<uint32_t>(place++);
    }
  }

  // The rows that lie in the image.
  void copy(const Form& f, const Frame& frame, const Tile& tile, std::byte* to) const noexcept {
    const Window& w = shape_.window;
    const int64_t first = static_cast<int64_t>(tile.first) / w.out_w;
    const auto lines = static_cast<int64_t>(f.block_lines);
    const size_t words = input_.row_bytes / sizeof(uint64_t);
    for (size_t block = 0; block < blocks(); ++block) {
      const auto ky = static_cast<int64_t>(block) / w.kernel_w, kx = static_cast<int64_t>(block) % w.kernel_w;
      const Columns columns(w, kx * w.dilation_w - w.pad_left, width_);
      const int64_t top = first * w.stride_h - w.pad_top + (shared_ ? 0 : ky * w.dilation_h);
      const int64_t begin = std::min(top < 0 ? (w.stride_h - 1 - top) / w.stride_h : 0, lines),
                    end = std::min(top < w.in_h ? (w.in_h - 1 - top) / w.stride_h + 1 : 0, lines);
      if (begin >= end) continue;
      const auto y = static_cast<size_t>(top + begin * w.stride_h), at = static_cast<size_t>(begin);
      for (size_t t = 0; t < tile.steps; ++t) {
        const auto* from = input_.row<uint64_t>(frame, tile.t + t, tile.n, y * static_cast<size_t>(w.in_w)) +
                           columns.from * static_cast<int64_t>(words);
        auto* line =
            reinterpret_cast<uint64_t*>(to) +
            (block * f.block + at * f.line + t * f.step + static_cast<size_t>(columns.begin)) * words;
        copy_lines(f, columns, from, static_cast<size_t>(end - begin), words, line);
      }
    }
  }

  // Rows `begin` to before `end` of a line are columns `from`, `from + stride_w` ... of the image.
  struct Columns {
    int64_t begin, end, from;

    Columns(const Window& w, int64_t left, int64_t width) noexcept {
      const auto row = [&](int64_t x) { return x > left ? (x - left + w.stride_w - 1) / w.stride_w : 0; };
      begin = std::min(row(0), width);
      end = std::min(row(w.in_w), width);
      from = left + begin * w.stride_w;
    }
  };
  // Lines as far apart as those of the image, with no other step's between, are one copy, whose ends of lines
  // are cleared again.
  void copy_lines(const Form& f, const Columns& columns, const uint64_t* from, size_t lines, size_t words,
                  uint64_t* to) const noexcept {
    const Window& w = shape_.window;
    const auto rows = static_cast<size_t>(columns.end - columns.begin);
    const size_t below = static_cast<size_t>(w.stride_h * w.in_w) * words, pitch = f.line * words;
    const bool apart = f.line > static_cast<size_t>(width_);
    if (w.stride_w == 1 && below == pitch && !apart) {
      std::memcpy(to, from, ((lines - 1) * pitch + rows * words) * sizeof(uint64_t));
      const size_t behind = (f.line - rows) * words;
      for (size_t i = 1; i < lines; ++i) std::fill_n(to + i * pitch - behind, behind, uint64_t{0});
      return;
    }
    for (size_t i = 0; i < lines; ++i, from += below, to += pitch) copy_line(from, rows, words, to);
  }
  void copy_line(const uint64_t* from, size_t rows, size_t words, uint64_t* to) const noexcept {
    if (shape_.window.stride_w == 1) {
      copy_words(from, rows * words, to);
      return;
    }
    const size_t step = static_cast<size_t>(shape_.window.stride_w) * words;
    if (words == 1) {
      for (size_t i = 0; i < rows; ++i) to[i] = from[i * step];
      return;
    }
    for (size_t i = 0; i < rows; ++i, from += step, to += words) copy_words(from, words, to);
  }
  // Few of them cost less than a call.
  static void copy_words(const uint64_t* from, size_t count, uint64_t* to) noexcept {
    if (count > 32) {
      std::memcpy(to, from, count * sizeof(uint64_t));
      return;
    }
    for (; count >= 4; count -= 4, from += 4, to += 4) std::memcpy(to, from, 4 * sizeof(uint64_t));
    for (; count > 0; --count) *to++ = *from++;
  }

  SynapseShape shape_;
  Slot input_;
  bool shared_, columns_;
  int64_t width_;  // rows of a line and step
};

/// For the methods of a layer: planes of bits, where kernels have them, start with a byte.
inline LaneRows lane_rows(const SynapseShape& shape, const Slot& input, const SumMethods& methods) {
  const bool columns = kernels::kernels().columns;
  const bool bits = columns && methods.has_lanes(SumMethod::kSparse);
  return {shape, input, columns, bits ? kernels::kPlaceAlign : 1};
}

}  // namespace snncore::runtime
