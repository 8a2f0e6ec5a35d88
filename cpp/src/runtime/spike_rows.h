// The rows that a tile reads, each once, and which of them every tap reads: what the gather takes.
#pragma once

#include <span>

#include "kernels/scratch.h"
#include "kernels/spikes.h"
#include "runtime/line_rows.h"

namespace snncore::runtime {

class SpikeRows {
 public:
  SpikeRows(const SynapseShape& shape, const Slot& input) : shape_(gathered(shape)), rows_(shape, input) {}

  /// Memory behind what `read` gives, for tiles of at most so many pixels and steps.
  [[nodiscard]] size_t bytes(size_t pixels, size_t steps) const noexcept { return places(pixels, steps).end; }
  /// For the kernels.
  [[nodiscard]] size_t scratch_bytes(size_t pixels, size_t steps) const noexcept {
    return kernels::addrows_scratch(most_rows(pixels, steps), shape_.inputs, pixels * steps);
  }

  /// The first row of a step is padding; the rows of a step follow those of the step before, in the same
  /// order. Rows that no tap reads are left out. With `only`, these pixels of the tile.
  [[nodiscard]] kernels::SpikeTile read(const Frame& frame, const Tile& tile, size_t g, std::byte* memory,
                                        std::span<const uint32_t> only = {}) const noexcept;

 private:
  // Offsets in the memory.
  struct Places {
    size_t numbers, pixels, rows, index, copies, end;
  };
  class Numbers;
  // Where rows are listed, with their copies, and which of them the taps read; for those that get numbers,
  // the numbers and their pixels.
  struct Lists {
    const uint64_t** rows;
    uint64_t* copies;
    uint32_t *index, *numbers, *pixels;
  };

  [[nodiscard]] Places places(size_t pixels, size_t steps) const noexcept;
  [[nodiscard]] size_t read_pixels() const noexcept {
    return static_cast<size_t>(shape_.window.in_h * shape_.window.in_w);
  }
  // One more for the padding.
  [[nodiscard]] size_t most_rows(size_t pixels, size_t steps) const noexcept {
    return steps * (std::min(pixels * shape_.window.taps(), read_pixels()) + 1);
  }
  // The index of step 0 for all steps, each of so many rows.
  static void repeat_index(uint32_t* index, size_t entries, size_t steps, size_t rows) noexcept;
  // A part of the image as an image of its own, from (y, x) on, and the window that moves over it.
  struct Part {
    Window window;
    int64_t y, x;
  };
  // Do the taps of the tile read all of such a part?
  [[nodiscard]] bool reads_part(const Tile& tile) const noexcept;
  [[nodiscard]] Part part(const Tile& tile) const noexcept;
  // Lists the rows of all steps, and what step 0 reads of them; gives how many. Of such a part, as they lie;
  // else in the order of their numbers.
  size_t list_part(const Frame& frame, const Tile& tile, size_t g, const Lists& lists) const noexcept;
  size_t list_numbered(const Frame& frame, const Tile& tile, size_t g, std::span<const uint32_t> only,
                       const Lists& lists) const noexcept;
  // The rows of step 0, with the numbers of what the pixels read; gives how many.
  size_t number_rows(const Tile& tile, std::span<const uint32_t> only, const Lists& lists) const noexcept;
  // Of one pixel, whose rows have the numbers that number(pixel) gives; returns the end.
  template <typename Number>
  static uint32_t* number_taps(const Window& window, size_t pixel, const Number& number,
                               uint32_t* index) noexcept;

  SynapseShape shape_;  // as it is gathered
  LineRows rows_;
};

}  // namespace snncore::runtime
