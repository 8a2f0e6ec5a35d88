// Rows as the gather lists them. What a line of a window reads lies side by side where a word holds it.
#pragma once

#include "runtime/group_rows.h"

namespace snncore::runtime {

/// The layer that the gather sees. Where a line of a window has no gaps and reads no more bits than a word
/// holds, they are the inputs of one tap, and the window is one pixel wide; the order of the weights is the
/// same.
inline SynapseShape gathered(const SynapseShape& s) noexcept {
  SynapseShape lines = s;
  Window& w = lines.window;
  lines.inputs *= static_cast<size_t>(w.kernel_w);
  const bool gaps = w.dilation_w > 1 || w.stride_w > w.kernel_w;
  const bool padding = w.out_w > w.in_w + w.kernel_w;  // hardly more than that, which would have rows, too
  if (w.kernel_w == 1 || gaps || padding || lines.inputs > 64) return s;
  w.in_w = w.out_w;
  w.kernel_w = w.stride_w = 1;
  w.pad_left = 0;
  return lines;
}

/// Rows of the pixels that gathered() reads.
class LineRows {
 public:
  LineRows(const SynapseShape& shape, const Slot& input)
      : window_(shape.window),
        inputs_(shape.inputs),
        joins_(gathered(shape).inputs > shape.inputs),
        rows_(shape, input) {}

  /// As GroupRows has them.
  [[nodiscard]] size_t copy_bytes(size_t rows) const noexcept {
    return joins_ ? align_up(rows * sizeof(uint64_t)) : rows_.copy_bytes(rows);
  }
  [[nodiscard]] const uint64_t* row(const Frame& frame, size_t t, size_t n, size_t pixel, size_t g,
                                    uint64_t* copies, size_t r) const noexcept {
    if (!joins_) return rows_.row(frame, t, n, pixel, g, copies, r);
    read_line(line(frame, t, n, pixel / width(), g), pixel % width(), 1, copies + r);
    return copies + r;
  }
  /// Of `count` pixels of a line from `first` on.
  void read(const Frame& frame, size_t t, size_t n, size_t first, size_t count, size_t g,
            const uint64_t** rows, uint64_t* copies, size_t r) const noexcept {
    if (!joins_) {
      rows_.read(frame, {t, n, first, 1, count}, g, rows, copies, r);
      return;
    }
    uint64_t* const to = copies + r;
    for (size_t i = 0; i < count; ++i) rows[i] = to + i;
    read_line(line(frame, t, n, first / width(), g), first % width(), count, to);
  }
  [[nodiscard]] const uint64_t* zeros() const noexcept { return rows_.zeros(); }

 private:
  [[nodiscard]] size_t width() const noexcept { return static_cast<size_t>(window_.out_w); }
  [[nodiscard]] GroupRows::Bits line(const Frame& frame, size_t t, size_t n, size_t y,
                                     size_t g) const noexcept {
    return rows_.bits(frame, t, n, y * static_cast<size_t>(window_.in_w), g);
  }

  // What the window reads of a line at `count` places from `x` on.
  void read_line(const GroupRows::Bits& line, size_t x, size_t count, uint64_t* to) const noexcept {
    if (line.alone()) {
      slide([&line](size_t column) noexcept { return line.row(column); }, x, count, to);
    } else {
      slide([&line](size_t column) noexcept { return line.part(column); }, x, count, to);
    }
  }
  template <typename At>
  void slide(const At& at, size_t x, size_t count, uint64_t* to) const noexcept {
    const int64_t width = window_.in_w, kernel = window_.kernel_w, stride = window_.stride_w;
    const size_t inputs = inputs_, last = static_cast<size_t>(kernel - 1) * inputs;
    int64_t column = static_cast<int64_t>(x) * stride - window_.pad_left, end = column + kernel;
    uint64_t bits = 0;
    for (size_t i = 0; i < count; ++i, end += stride) {
      for (; column < end; ++column) {
        bits >>= inputs;
        if (column >= 0 && column < width) bits |= at(static_cast<size_t>(column)) << last;
      }
      to[i] = bits;
    }
  }

  Window window_;
  size_t inputs_;
  bool joins_;
  GroupRows rows_;
};

}  // namespace snncore::runtime
