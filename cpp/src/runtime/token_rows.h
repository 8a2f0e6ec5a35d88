// Layers of tokens, which are 1x1 convolutions: the rows that give anything. A row without spikes gives sums
// of zero, and so may one whose result a gate will hide.
#pragma once

#include <algorithm>
#include <optional>

#include "base/align.h"
#include "kernels/spikes.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

class TokenRows {
 public:
  /// `gate`: spikes of the same pixels. What the layer gives for a pixel in a step is wanted if the gate
  /// fires there in that step or a later one.
  TokenRows(const Slot& input, const Slot* gate) : input_(input) {
    if (gate != nullptr) gate_ = *gate;
  }

  [[nodiscard]] static bool fits(const SynapseShape& s) noexcept {
    const Window& w = s.window;
    return s.groups == 1 && w.taps() == 1 && w.stride_h == 1 && w.stride_w == 1 && w.out_h == w.in_h &&
           w.out_w == w.in_w;
  }

  /// Memory behind `Found`, for tiles of so many rows, all steps counted.
  [[nodiscard]] static size_t bytes(size_t rows) noexcept {
    return align_up(rows * sizeof(uint64_t*)) + 2 * align_up((rows + 1) * sizeof(uint32_t));
  }

  struct Found {
    size_t count;
    const uint64_t** rows;
    uint32_t* list;     // their places in the tile, ascending
    uint32_t* numbers;  // 0 to count - 1, and a 0

    [[nodiscard]] kernels::SpikeTile tile() const noexcept { return {rows, count, numbers, count}; }
    [[nodiscard]] kernels::SpikeRaster raster() const noexcept {
      return {rows, count, numbers, numbers + count, count};
    }
  };

  [[nodiscard]] Found find(const Frame& f, const Tile& tile, std::byte* memory) const noexcept {
    const size_t all = tile.count * tile.steps;
    auto* const list = reinterpret_cast<uint32_t*>(memory + align_up(all * sizeof(uint64_t*)));
    Found found{0, reinterpret_cast<const uint64_t**>(memory), list,
                list + align_up((all + 1) * sizeof(uint32_t)) / sizeof(uint32_t)};
    for (size_t t = 0; t < tile.steps; ++t) {
      for (size_t p = 0; p < tile.count; ++p) {
        const auto* row = input_.row<uint64_t>(f, tile.t + t, tile.n, tile.first + p);
        if (!any(row, input_.row_bytes) || !wanted(f, tile.t + t, tile.n, tile.first + p)) continue;
        found.rows[found.count] = row;
        found.numbers[found.count] = static_cast<uint32_t>(found.count);
        found.list[found.count++] = static_cast<uint32_t>(t * tile.count + p);
      }
    }
    found.numbers[found.count] = 0;
    return found;
  }

 private:
  static bool any(const uint64_t* row, size_t bytes) noexcept {
    return std::any_of(row, row + bytes / sizeof(uint64_t), [](uint64_t word) { return word != 0; });
  }
  [[nodiscard]] bool wanted(const Frame& f, size_t t, size_t n, size_t pixel) const noexcept {
    if (!gate_) return true;
    for (; t < gate_->steps; ++t) {
      if (any(gate_->row<uint64_t>(f, t, n, pixel), gate_->row_bytes)) return true;
    }
    return false;
  }

  Slot input_;
  std::optional<Slot> gate_;
};

}  // namespace snncore::runtime
