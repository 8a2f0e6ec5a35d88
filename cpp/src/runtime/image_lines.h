// An image of few channels, line by line with its padding: sums of windows that stay in lanes.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/table.h"
#include "runtime/synapse_base.h"

namespace snncore::runtime {

/// For windows that move by one pixel and inputs of bytes in one group.
class ImageLines {
 public:
  /// `padding`: a byte for each input channel.
  ImageLines(const SynapseShape& shape, const Slot& input, const std::vector<uint8_t>& padding)
      : shape_(shape), input_(input), line_(line_bytes()) {
    for (size_t i = 0; i < line_.size(); ++i) line_[i] = padding[i % padding.size()];
  }

  /// What `sums` needs for tiles of at most so many pixels.
  [[nodiscard]] size_t bytes(size_t pixels) const noexcept { return places(most_lines(pixels), pixels).end; }

  /// Of one step. `codes` and `init` as kernels::LineWeights has them.
  [[nodiscard]] kernels::LaneSums sums(const Frame& frame, const Tile& tile, const int8_t* codes,
                                       const int32_t* init, std::byte* memory) const noexcept {
    const Window& w = shape_.window;
    const size_t width = static_cast<size_t>(w.out_w), first = tile.first / width,
                 lines = (tile.first + tile.count - 1) / width - first + 1,
                 pitch = kernels::line_lanes(width);
    const Places at = places(lines, tile.count);
    auto* sums = reinterpret_cast<int32_t*>(memory);
    auto* pixels = reinterpret_cast<uint32_t*>(memory + at.pixels);
    auto* image = reinterpret_cast<uint8_t*>(memory + at.image);
    copy(frame, tile, static_cast<int64_t>(first) * w.stride_h - w.pad_top, image_lines(lines), image);
    const kernels::ByteLines x{image,
                               lines,
                               width,
                               static_cast<size_t>(w.stride_h) * line_.size(),
                               static_cast<size_t>(w.dilation_h) * line_.size(),
                               shape_.inputs};
    kernels::kernels().lines_u8i8_lanes(
        x, {codes, init, static_cast<size_t>(w.kernel_h), line_groups(shape_), shape_.channels}, sums,
        plane(lines));
    for (size_t i = 0, p = tile.first, line = 0; i < tile.count; ++line) {
      const size_t end = std::min((first + line + 1) * width, tile.first + tile.count);
      for (size_t place = line * pitch + p - (first + line) * width; p < end; ++p, ++i)
        pixels[i] = static_cast<uint32_t>(place++);
    }
    return {sums, nullptr, plane(lines), 0, pixels};
  }

 private:
  // Offsets in the memory.
  struct Places {
    size_t pixels, image, end;
  };

  [[nodiscard]] size_t line_bytes() const noexcept {
    return static_cast<size_t>(shape_.window.out_w + shape_.window.kernel_w - 1) * shape_.inputs;
  }
  [[nodiscard]] size_t most_lines(size_t pixels) const noexcept {
    const auto width = static_cast<size_t>(shape_.window.out_w);
    return std::min((pixels + 2 * width - 2) / width, static_cast<size_t>(shape_.window.out_h));
  }
  // That so many lines of places read.
  [[nodiscard]] size_t image_lines(size_t lines) const noexcept {
    const Window& w = shape_.window;
    return (lines - 1) * static_cast<size_t>(w.stride_h) +
           static_cast<size_t>((w.kernel_h - 1) * w.dilation_h) + 1;
  }
  // Of the sums of a channel.
  [[nodiscard]] size_t plane(size_t lines) const noexcept {
    return kernels::lane_pitch(lines * kernels::line_lanes(static_cast<size_t>(shape_.window.out_w)));
  }
  [[nodiscard]] Places places(size_t lines, size_t pixels) const noexcept {
    Places at{};
    at.pixels = (shape_.channels * plane(lines) + kernels::kLaneTail) * sizeof(int32_t);
    at.image = at.pixels + align_up(pixels * sizeof(uint32_t));
    at.end = at.image + align_up(image_lines(lines) * line_.size() + kernels::kLineTail);
    return at;
  }

  // `count` lines from `y` on.
  void copy(const Frame& frame, const Tile& tile, int64_t y, size_t count, uint8_t* to) const noexcept {
    const Window& w = shape_.window;
    const int64_t used = std::min(w.in_w, static_cast<int64_t>(line_.size() / shape_.inputs) - w.pad_left);
    for (size_t line = 0; line < count; ++line, ++y, to += line_.size()) {
      std::memcpy(to, line_.data(), line_.size());
      if (y < 0 || y >= w.in_h || used <= 0) continue;
      std::memcpy(to + static_cast<size_t>(w.pad_left) * shape_.inputs,
                  input_.row(frame, tile.t, tile.n, static_cast<size_t>(y * w.in_w)),
                  static_cast<size_t>(used) * shape_.inputs);
    }
  }

  SynapseShape shape_;
  Slot input_;
  std::vector<uint8_t> line_;  // of padding
};

}  // namespace snncore::runtime
