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

SpikeRasters::SpikeRasters(const Layer& layer, double density) : frames_(layer, density) {
  const size_t lines = std::min(layer.height, kRasterPixels / kSteps / layer.width), pitch = layer.width + 2;
  for (size_t tap = 0; tap < 9; ++tap) offsets_.push_back(static_cast<uint32_t>(tap / 3 * pitch + tap % 3));
  for (size_t t = 0; t < kSteps; ++t) {
    for (size_t y = 0; y < lines; ++y) {
      for (size_t x = 0; x < layer.width; ++x)
        places_.push_back(static_cast<uint32_t>((t * (lines + 2) + y) * pitch + x));
    }
  }
  for (size_t first = 0; first < layer.height; first += lines) add_tile(first, lines + 2);
  const size_t rows = tiles_.front().size();
  scratch_ = AlignedBuffer(std::max(kernels::sparse_scratch(rows, layer.inputs, 9),
                                    kernels::dense_scratch(rows, layer.inputs, pixels())));
}

void SpikeRasters::add_tile(size_t first, size_t lines) {
  auto& rows = tiles_.emplace_back();
  for (size_t t = 0; t < kSteps; ++t) {
    for (size_t y = first; y < first + lines; ++y) {
      for (size_t x = 0; x < frames_.layer().width + 2; ++x) rows.push_back(frames_.at(t, y, x));
    }
  }
}

}  // namespace snncore::bench
