// The rows of a tile as a raster: what the kernels take whose lanes are pixels.
#pragma once

#include "kernels/spikes.h"
#include "runtime/group_rows.h"
#include "runtime/raster.h"

namespace snncore::runtime {

class RasterRows {
 public:
  /// `columns`: as Raster has them.
  RasterRows(const SynapseShape& shape, const Slot& input, bool columns)
      : shape_(shape), rows_(shape, input), columns_(columns) {}

  /// Memory behind what `read` gives, for tiles of at most so many pixels and steps.
  [[nodiscard]] size_t bytes(size_t pixels, size_t steps) const noexcept {
    return places(most_rows(pixels, steps), pixels * steps).end;
  }
  [[nodiscard]] size_t most_rows(size_t pixels, size_t steps) const noexcept {
    return Raster(shape_.window, pixels, steps, columns_).rows();
  }

  [[nodiscard]] kernels::SpikeRaster read(const Frame& frame, const Tile& tile, size_t g,
                                          std::byte* memory) const noexcept {
    const Raster raster(shape_.window, tile, columns_);
    const Places at = places(raster.rows(), tile.count * tile.steps);
    auto** rows = reinterpret_cast<const uint64_t**>(memory + at.rows);
    auto* pixels = reinterpret_cast<uint32_t*>(memory + at.pixels);
    auto* offsets = reinterpret_cast<uint32_t*>(memory + at.offsets);
    auto* copies = reinterpret_cast<uint64_t*>(memory + at.copies);
    size_t r = 0;
    raster.for_lines([&](const Raster::Line& line) noexcept {
      std::fill_n(rows + r, line.rows, rows_.zeros());
      rows_.read(frame, {tile.t + line.t, tile.n, line.pixel, line.step, line.end - line.begin}, g,
                 rows + r + line.begin, copies, r + line.begin);
      r += line.rows;
    });
    raster.places(tile, pixels);
    raster.offsets(offsets);
    return {rows, r, pixels, offsets, tile.count * tile.steps};
  }

 private:
  // Offsets in the memory.
  struct Places {
    size_t rows, pixels, offsets, copies, end;
  };

  [[nodiscard]] Places places(size_t rows, size_t pixels) const noexcept {
    Places at{};
    at.pixels = align_up(rows * sizeof(uint64_t*));
    at.offsets = at.pixels + align_up(pixels * sizeof(uint32_t));
    at.copies = at.offsets + align_up(shape_.window.taps() * sizeof(uint32_t));
    at.end = at.copies + rows_.copy_bytes(rows);
    return at;
  }

  SynapseShape shape_;
  GroupRows rows_;
  bool columns_;
};

}  // namespace snncore::runtime
