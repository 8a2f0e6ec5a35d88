#include "frames.h"

#include <algorithm>

#include "base/bits.h"

namespace snncore::bench {
Frames::Frames(const Layer& layer, double density)
    : layer_(layer),
      words_(words_for(layer.inputs)),
      bits_((layer.pixels() + 1) * words_ * sizeof(uint64_t)) {
  for (size_t p = 0; p < layer.pixels(); ++p) {
    for (size_t i = 0; i < layer.inputs; ++i) {
      if (random_spike(density)) set_bit(row(p), i);
    }
  }
}

const uint64_t* Frames::at(size_t t, size_t y, size_t x) const {
  const bool inside = y > 0 && x > 0 && y <= layer_.height && x <= layer_.width;
  return row(inside ? (t * layer_.height + y - 1) * layer_.width + x - 1 : layer_.pixels());
}

SpikeTiles::SpikeTiles(const Layer& layer, double density)
    : frames_(layer, density), tile_pixels_(std::min(kRasterPixels, layer.pixels())) {
  for (size_t p = 0; p < layer.pixels(); p += tile_pixels_) add_tile(p);
  size_t most = 0;
  for (const Tile& t : tiles_) most = std::max(most, t.rows.size());
  scratch_ = AlignedBuffer(kernels::addrows_scratch(most, layer.inputs, tile_pixels_));
}

void SpikeTiles::add_tile(size_t first) {
  const Layer& l = frames_.layer();
  const size_t frame = l.height * l.width;
  Tile tile;
  for (size_t p = first; p < first + tile_pixels_; ++p) {
    for (size_t tap = 0; tap < 9; ++tap) {
      const uint64_t* found = frames_.at(p / frame, p % frame / l.width + tap / 3, p % l.width + tap % 3);
      const auto known = std::find(tile.rows.begin(), tile.rows.end(), found);
      tile.index.push_back(static_cast<uint32_t>(known - tile.rows.begin()));
      if (known == tile.rows.end()) tile.rows.push_back(found);
      for (size_t i = 0; i < frames_.words(); ++i) events_ += __builtin_popcountll(found[i]);
    }
  }
  tiles_.push_back(std::move(tile));
}

runtime::Window window(const Layer& layer) {
  const auto h = static_cast<int64_t>(layer.height), w = static_cast<int64_t>(layer.width);
  return {.in_h = h,
          .in_w = w,
          .out_h = h,
          .out_w = w,
          .kernel_h = 3,
          .kernel_w = 3,
          .pad_top = 1,
          .pad_left = 1};
}

SpikeRasters::SpikeRasters(const Layer& layer, double density, bool columns) : frames_(layer, density) {
  const runtime::Window w = window(layer);
  const size_t lines = std::min(layer.height, kRasterPixels / kSteps / layer.width);
  runtime::Tile tile{.count = lines * layer.width, .steps = kSteps};
  const runtime::Raster first(w, tile, columns);
  offsets_.resize(9);
  first.offsets(offsets_.data());
  places_.resize(tile.count * kSteps);
  first.places(tile, places_.data());
  for (; tile.first < layer.height * layer.width; tile.first += tile.count) {
    add_tile(runtime::Raster(w, tile, columns));
  }
  const size_t rows = tiles_.front().size();
  scratch_ = AlignedBuffer(std::max(kernels::sparse_scratch(rows, layer.inputs, 9),
                                    kernels::dense_scratch(rows, layer.inputs, pixels())));
}

void SpikeRasters::add_tile(const runtime::Raster& raster) {
  auto& rows = tiles_.emplace_back();
  const size_t width = frames_.layer().width;
  raster.for_lines([&](const runtime::Raster::Line& line) {
    for (size_t r = 0; r < line.rows; ++r) {
      const bool inside = r >= line.begin && r < line.end;
      const size_t p = line.pixel + (inside ? (r - line.begin) * line.step : 0);
      rows.push_back(inside ? frames_.at(line.t, p / width + 1, p % width + 1) : frames_.at(line.t, 0, 0));
    }
  });
}

}  // namespace snncore::bench
