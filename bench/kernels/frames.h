// Random packed frames of a convolution, cut into tiles as a session cuts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/raster.h"
#include "work.h"

namespace snncore::bench {

/// The pixels of all steps as rows of bits, and one silent row for what lies outside of the frame.
class Frames {
 public:
  Frames(const Layer& layer, double density);

  /// The pixel of step `t` at (y, x), counted from 1; the silent one outside.
  [[nodiscard]] const uint64_t* at(size_t t, size_t y, size_t x) const;
  [[nodiscard]] size_t words() const { return words_; }
  [[nodiscard]] const Layer& layer() const { return layer_; }

 private:
  [[nodiscard]] uint64_t* row(size_t pixel) const { return bits_.as<uint64_t>() + pixel * words_; }

  Layer layer_;
  size_t words_;
  AlignedBuffer bits_;
};

/// Tiles of at most `kRasterPixels` pixels, each with the rows that their taps read.
class SpikeTiles {
 public:
  SpikeTiles(const Layer& layer, double density);

  template <typename F>
  void for_each(F&& f) const {
    for (const Tile& t : tiles_) {
      f(kernels::SpikeTile{t.rows.data(), t.rows.size(), t.index.data(), tile_pixels_},
        scratch_.as<std::byte>());
    }
  }
  /// Spikes at taps: one pixel's spike counts as often as a tap reads it.
  [[nodiscard]] double events() const { return events_; }

 private:
  struct Tile {
    std::vector<const uint64_t*> rows;
    std::vector<uint32_t> index;
  };
  void add_tile(size_t first);

  Frames frames_;
  size_t tile_pixels_;
  AlignedBuffer scratch_;
  std::vector<Tile> tiles_;
  double events_ = 0;
};

/// The window of such a convolution.
runtime::Window window(const Layer& layer);

/// Tiles of whole lines, all steps, as runtime::Raster lays them out for kernels of `columns`.
class SpikeRasters {
 public:
  SpikeRasters(const Layer& layer, double density, bool columns);

  template <typename F>
  void for_each(F&& f) const {
    for (const auto& rows : tiles_) {
      f(kernels::SpikeRaster{rows.data(), rows.size(), places_.data(), offsets_.data(), places_.size()},
        scratch_.as<std::byte>());
    }
  }
  [[nodiscard]] size_t pixels() const { return places_.size(); }

 private:
  void add_tile(const runtime::Raster& raster);

  Frames frames_;
  AlignedBuffer scratch_;
  std::vector<std::vector<const uint64_t*>> tiles_;
  std::vector<uint32_t> places_, offsets_;
};

}  // namespace snncore::bench
