// What every pixel of a tile sees, its taps behind each other: what the counting kernel takes.
#pragma once

#include <vector>

#include "kernels/spikes.h"
#include "runtime/group_rows.h"

namespace snncore::runtime {

class PatchRows {
 public:
  PatchRows(const SynapseShape& shape, const Slot& input);

  /// The input of a tile with its padding, in which all taps lie: as it is where nothing is padded, else a
  /// copy.
  struct Lines {
    const std::byte* rows;          // [step][line][column]
    size_t step_bytes, first_line;  // the first: of the window's steps down, as counted by its output
  };
  [[nodiscard]] size_t lines_bytes(size_t pixels, size_t steps) const noexcept;
  [[nodiscard]] Lines lines(const Frame& frame, const Tile& tile, size_t g, std::byte* memory) const noexcept;

  /// Memory behind so many patches.
  [[nodiscard]] size_t bytes(size_t patches) const noexcept {  // copies of words may pass the last one's end
    return align_up(patches * words_ * sizeof(uint32_t) + sizeof(uint64_t));
  }
  /// Those of a tile, [step][pixel], from the lines of one that holds it.
  [[nodiscard]] kernels::Patches read(const Lines& lines, const Tile& tile, std::byte* memory) const noexcept;
  /// Rows of a layer that has one tap.
  [[nodiscard]] kernels::Patches of(const uint64_t* const* rows, size_t count,
                                    std::byte* memory) const noexcept;

 private:
  // Input lines that so many lines of output see.
  [[nodiscard]] int64_t seen(int64_t out_lines) const noexcept {
    const Window& w = shape_.window;
    return (out_lines - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1;
  }
  void copy_line(const Frame& frame, size_t t, size_t n, int64_t y, size_t g, std::byte* to) const noexcept;
  // Patches of pixels side by side, in runs of kRun bytes, of any length, or, where that is 0, of rows that a
  // word joins.
  template <size_t kRun>
  void copy_patches(const std::byte* from, size_t count, std::byte* to) const noexcept;

  [[nodiscard]] kernels::Patches prepared(std::byte* memory, size_t count) const noexcept;

  SynapseShape shape_;
  Slot input_;
  bool copied_;       // else the input has no padding
  int64_t columns_;   // of a line
  size_t row_bytes_;  // of a column
  size_t words_, tap_bytes_;
  bool joins_;                   // a word holds what a line of taps reads
  size_t run_, run_bytes_;       // taps whose rows lie side by side, and what is copied of them at once
  std::vector<size_t> offsets_;  // bytes from the row of the first tap to those of the runs
};

}  // namespace snncore::runtime
