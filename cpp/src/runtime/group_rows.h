// Rows of packed spikes of one group of input channels, each from a whole word on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/align.h"
#include "base/bits.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

class GroupRows {
 public:
  GroupRows(const SynapseShape& shape, const Slot& input)
      : groups_(shape.groups), inputs_(shape.inputs), input_(input), zeros_(words() * sizeof(uint64_t)) {}

  /// Memory that so many rows take: none where every group starts on a word.
  [[nodiscard]] size_t copy_bytes(size_t rows) const noexcept {
    return copied() ? align_up(rows * words() * sizeof(uint64_t)) : 0;
  }
  /// The row of a pixel; `copies` are copy_bytes, of which row `r` may take its part.
  [[nodiscard]] const uint64_t* row(const Frame& frame, size_t t, size_t n, size_t pixel, size_t g,
                                    uint64_t* copies, size_t r) const noexcept {
    const auto* from = input_.row<uint64_t>(frame, t, n, pixel);
    const size_t first = g * inputs_;
    if (!copied()) return from + first / 64;
    extract_bits(from, first, inputs_, copies + r * words());
    return copies + r * words();
  }
  /// Pixels of a line, `step` apart.
  struct Pixels {
    size_t t, n, first, step, count;
  };
  /// The rows of all of them, which may take their parts of `copies` from row `r` on.
  void read(const Frame& frame, const Pixels& p, size_t g, const uint64_t** rows, uint64_t* copies,
            size_t r) const noexcept {
    if (copied()) {
      for (size_t i = 0; i < p.count; ++i)
        rows[i] = row(frame, p.t, p.n, p.first + i * p.step, g, copies, r + i);
      return;
    }
    const auto* first = input_.row<uint64_t>(frame, p.t, p.n, p.first) + g * inputs_ / 64;
    const size_t pitch = p.step * input_.row_bytes / sizeof(uint64_t);
    for (size_t i = 0; i < p.count; ++i) rows[i] = first + i * pitch;
  }
  /// Pixels side by side of which a word holds the inputs of a group.
  class Bits {
   public:
    /// Is there one group?
    [[nodiscard]] bool alone() const noexcept { return alone_; }
    /// A pixel's, where there is.
    [[nodiscard]] uint64_t row(size_t pixel) const noexcept { return first_[pixel * pitch_]; }
    [[nodiscard]] uint64_t part(size_t pixel) const noexcept {
      uint64_t bits;
      extract_bits(first_ + pixel * pitch_, shift_, inputs_, &bits);
      return bits;
    }

   private:
    friend class GroupRows;
    const uint64_t* first_;
    size_t pitch_, shift_, inputs_;
    bool alone_;
  };
  [[nodiscard]] Bits bits(const Frame& frame, size_t t, size_t n, size_t first, size_t g) const noexcept {
    Bits b;
    const size_t bit = g * inputs_;
    b.first_ = input_.row<uint64_t>(frame, t, n, first) + bit / 64;
    b.pitch_ = input_.row_bytes / sizeof(uint64_t);
    b.shift_ = bit % 64;
    b.inputs_ = inputs_;
    b.alone_ = groups_ == 1;
    return b;
  }
  /// A row without spikes.
  [[nodiscard]] const uint64_t* zeros() const noexcept { return zeros_.as<uint64_t>(); }

 private:
  [[nodiscard]] size_t words() const noexcept { return words_for(inputs_); }
  [[nodiscard]] bool copied() const noexcept { return groups_ > 1 && inputs_ % 64 != 0; }

  size_t groups_, inputs_;
  Slot input_;
  AlignedBuffer zeros_;
};

/// The input pixels that a tile can read, from the first to the last: they lie between the first tap of its
/// first and the last of its last row.
inline std::pair<int64_t, int64_t> reach(const Window& w, const Tile& tile) noexcept {
  const int64_t first = static_cast<int64_t>(tile.first) / w.out_w * w.stride_h - w.pad_top;
  const int64_t last = static_cast<int64_t>(tile.first + tile.count - 1) / w.out_w * w.stride_h - w.pad_top +
                       (w.kernel_h - 1) * w.dilation_h;
  return {std::clamp<int64_t>(first, 0, w.in_h - 1) * w.in_w,
          (std::clamp<int64_t>(last, 0, w.in_h - 1) + 1) * w.in_w - 1};
}

}  // namespace snncore::runtime
