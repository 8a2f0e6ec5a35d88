#include "runtime/patch_rows.h"

#include <cstring>

#include "kernels/table.h"
#include "runtime/raster.h"

namespace snncore::runtime {
namespace {

constexpr size_t kAnyBytes = SIZE_MAX, kWord = sizeof(uint64_t);

void copy_words(std::byte* to, const std::byte* from, size_t bytes) noexcept {
  for (size_t i = 0; i < bytes; i += kWord) std::memcpy(to + i, from + i, kWord);
}

// Narrow rows side by side, of so many bytes each, a word from one to the next.
uint64_t join_rows(const std::byte* from, size_t count, size_t bytes) noexcept {
  uint64_t joined = 0;
  for (size_t i = 0; i < count; ++i) {
    uint64_t row;
    std::memcpy(&row, from + i * kWord, kWord);
    joined |= row << (8 * bytes * i);
  }
  return joined;
}

bool pads(const Window& w) noexcept {
  return w.first_if_inside(0, 0) < 0 || w.first_if_inside(w.out_h - 1, w.out_w - 1) < 0;
}

}  // namespace

PatchRows::PatchRows(const SynapseShape& shape, const Slot& input)
    : shape_(shape),
      input_(input),
      copied_(shape.groups > 1 || pads(shape.window)),
      columns_(copied_ ? (shape.window.out_w - 1) * shape.window.stride_w +
                             (shape.window.kernel_w - 1) * shape.window.dilation_w + 1
                       : shape.window.in_w),
      row_bytes_(words_for(shape.inputs) * kWord),
      words_(kernels::patch_words(shape.inputs, shape.window.taps())),
      tap_bytes_(kernels::tap_bytes(shape.inputs)) {
  const Window& w = shape.window;
  const size_t side_by_side = w.dilation_w == 1 ? static_cast<size_t>(w.kernel_w) : 1;
  joins_ = side_by_side * tap_bytes_ <= kWord;
  run_ = joins_ || tap_bytes_ == row_bytes_ ? side_by_side : 1;
  run_bytes_ = joins_ ? 0 : run_ * row_bytes_;
  for (int64_t ky = 0; ky < w.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < w.kernel_w; kx += static_cast<int64_t>(run_)) {
      const int64_t rows = ky * w.dilation_h * columns_ + kx * w.dilation_w;
      offsets_.push_back(static_cast<size_t>(rows) * row_bytes_);
    }
  }
}

size_t PatchRows::lines_bytes(size_t pixels, size_t steps) const noexcept {
  if (!copied_) return 0;
  const Window& w = shape_.window;
  const int64_t out_lines = std::min((static_cast<int64_t>(pixels) + w.out_w - 2) / w.out_w + 1, w.out_h);
  return align_up(steps * static_cast<size_t>(seen(out_lines) * columns_) * row_bytes_);
}

PatchRows::Lines PatchRows::lines(const Frame& frame, const Tile& tile, size_t g,
                                  std::byte* memory) const noexcept {
  if (!copied_) return {input_.row<std::byte>(frame, tile.t, tile.n, 0), input_.step_bytes(), 0};
  const Window& w = shape_.window;
  const int64_t first = static_cast<int64_t>(tile.first) / w.out_w;
  const int64_t last = static_cast<int64_t>(tile.first + tile.count - 1) / w.out_w;
  const size_t line_bytes = static_cast<size_t>(columns_) * row_bytes_;
  const int64_t count = seen(last - first + 1);
  std::byte* to = memory;
  for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
    for (int64_t i = 0; i < count; ++i, to += line_bytes) {
      copy_line(frame, t, tile.n, first * w.stride_h - w.pad_top + i, g, to);
    }
  }
  return {memory, static_cast<size_t>(count) * line_bytes, static_cast<size_t>(first)};
}

void PatchRows::copy_line(const Frame& frame, size_t t, size_t n, int64_t y, size_t g,
                          std::byte* to) const noexcept {
  const Window& w = shape_.window;
  const bool outside = y < 0 || y >= w.in_h;
  const auto left = static_cast<size_t>(std::min(outside ? columns_ : w.pad_left, columns_)) * row_bytes_;
  const auto right = static_cast<size_t>(std::min(w.pad_left + w.in_w, columns_)) * row_bytes_;
  std::memset(to, 0, left);
  if (outside) return;
  std::memset(to + right, 0, static_cast<size_t>(columns_) * row_bytes_ - right);
  const auto pixel = static_cast<size_t>(y * w.in_w);
  if (shape_.groups == 1) {
    std::memcpy(to + left, input_.row<std::byte>(frame, t, n, pixel), right - left);
    return;
  }
  for (size_t at = left, x = 0; at < right; at += row_bytes_, ++x) {
    extract_bits(input_.row<uint64_t>(frame, t, n, pixel + x), g * shape_.inputs, shape_.inputs,
                 reinterpret_cast<uint64_t*>(to + at));
  }
}

kernels::Patches PatchRows::read(const Lines& lines, const Tile& tile, std::byte* memory) const noexcept {
  static constexpr struct {
    size_t bytes;
    void (PatchRows::*copy)(const std::byte* from, size_t count, std::byte* to) const noexcept;
  } kCopies[] = {{0, &PatchRows::copy_patches<0>},
                 {8, &PatchRows::copy_patches<8>},
                 {24, &PatchRows::copy_patches<24>},
                 {48, &PatchRows::copy_patches<48>},
                 {96, &PatchRows::copy_patches<96>}};
  auto copy = &PatchRows::copy_patches<kAnyBytes>;
  for (const auto& known : kCopies) {
    if (known.bytes == run_bytes_) copy = known.copy;
  }
  const Window& w = shape_.window;
  const auto width = static_cast<size_t>(w.out_w);
  const size_t line_bytes = static_cast<size_t>(w.stride_h * columns_) * row_bytes_;
  const size_t column_bytes = static_cast<size_t>(w.stride_w) * row_bytes_, end = tile.first + tile.count;
  std::byte* to = memory;
  for (size_t t = 0; t < tile.steps; ++t) {
    const std::byte* from = lines.rows + t * lines.step_bytes;
    for (size_t p = tile.first, next = 0; p < end; p = next) {
      next = std::min(end, (p / width + 1) * width);
      (this->*copy)(from + (p / width - lines.first_line) * line_bytes + p % width * column_bytes, next - p,
                    to);
      to += (next - p) * words_ * sizeof(uint32_t);
    }
  }
  return prepared(memory, tile.count * tile.steps);
}

template <size_t kRun>
void PatchRows::copy_patches(const std::byte* from, size_t count, std::byte* to) const noexcept {
  const size_t pitch = words_ * sizeof(uint32_t), taps = run_, tap = tap_bytes_, run_bytes = run_bytes_;
  const size_t between = static_cast<size_t>(shape_.window.stride_w) * row_bytes_;
  const size_t *const offsets = offsets_.data(), runs = offsets_.size();
  for (; count > 0; --count, from += between, to += pitch) {
    std::memset(to + pitch - sizeof(uint32_t), 0, sizeof(uint32_t));
    std::byte* next = to;
    for (size_t r = 0; r < runs; ++r, next += taps * tap) {
      if constexpr (kRun == 0) {
        const uint64_t joined =
            taps == 3 ? join_rows(from + offsets[r], 3, tap) : join_rows(from + offsets[r], taps, tap);
        std::memcpy(next, &joined, kWord);
      } else if constexpr (kRun == kAnyBytes) {
        copy_words(next, from + offsets[r], run_bytes);
      } else {
        std::memcpy(next, from + offsets[r], kRun);
      }
    }
  }
}

kernels::Patches PatchRows::prepared(std::byte* memory, size_t count) const noexcept {
  auto* words = reinterpret_cast<uint32_t*>(memory);
  kernels::kernels().prepare_count_b1(words, count, words_, kernels::count_third(words_));
  return {words, count};
}

kernels::Patches PatchRows::of(const uint64_t* const* rows, size_t count, std::byte* memory) const noexcept {
  std::byte* to = memory;
  for (size_t i = 0; i < count; ++i, to += words_ * sizeof(uint32_t)) {
    std::memcpy(to, rows[i], words_ * sizeof(uint32_t));
  }
  return prepared(memory, count);
}

}  // namespace snncore::runtime
