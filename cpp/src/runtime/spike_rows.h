// The rows that a tile reads, each once, and which of them every tap reads: what the gather takes.
#pragma once

#include <span>
#include <vector>

#include "kernels/scratch.h"
#include "kernels/spikes.h"
#include "runtime/group_rows.h"

namespace snncore::runtime {

class SpikeRows {
 public:
  SpikeRows(const SynapseShape& shape, const Slot& input)
      : shape_(shape), input_(input), rows_(shape, input), offsets_(shape.window.tap_offsets()) {}

  /// Memory behind what `read` gives, for tiles of at most so many pixels and steps.
  [[nodiscard]] size_t bytes(size_t pixels, size_t steps) const noexcept { return places(pixels, steps).end; }
  /// For the kernels.
  [[nodiscard]] size_t scratch_bytes(size_t pixels, size_t steps) const noexcept {
    return kernels::addrows_scratch(most_rows(pixels, steps), shape_.inputs, pixels * steps);
  }

  /// The first row of a step is padding; the rows of a step follow those of the step before, in the same
  /// order. Rows that no tap reads are left out, but for the ends of lines. With `only`, these pixels of the
  /// tile.
  [[nodiscard]] kernels::SpikeTile read(const Frame& frame, const Tile& tile, size_t g, std::byte* memory,
                                        std::span<const uint32_t> only = {}) const noexcept;

 private:
  // Offsets in the memory.
  struct Places {
    size_t numbers, pixels, rows, index, copies, end;
  };
  class Numbers;

  [[nodiscard]] Places places(size_t pixels, size_t steps) const noexcept;
  // One more for the padding.
  [[nodiscard]] size_t most_rows(size_t pixels, size_t steps) const noexcept {
    return steps * (std::min(pixels * shape_.window.taps(), input_.pixels) + 1);
  }
  // The index of step 0 for all steps, each of so many rows.
  static void repeat_index(uint32_t* index, size_t entries, size_t steps, size_t rows) noexcept;
  // Do the taps read every row between the first and the last, so that their places are their numbers?
  [[nodiscard]] bool reads_run(const Tile& tile) const noexcept;
  // Of one pixel, whose rows have the numbers that number(pixel) gives; returns the end.
  template <typename Number>
  uint32_t* number_taps(size_t pixel, const Number& number, uint32_t* index) const noexcept;

  SynapseShape shape_;
  Slot input_;
  GroupRows rows_;
  std::vector<int64_t> offsets_;  // of the taps, from the first
};

}  // namespace snncore::runtime
