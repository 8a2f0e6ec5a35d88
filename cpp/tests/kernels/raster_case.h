// Pixels in runs with gaps between them, and taps at any distance: for kernels whose lanes are pixels.
#pragma once

#include "kernels/common.h"

namespace snncore::test {

struct RasterShape {
  size_t channels, inputs, taps, pixels;
  size_t run_taps = 1;  // taps side by side
};

class RasterCase {
 public:
  /// Offsets of taps: any, or those that kernels of `columns` take.
  RasterCase(Random& random, const RasterShape& s, double density, bool columns)
      : align_(columns ? kernels::kPlaceAlign : 1),
        shape_(s),
        words_(words_for(s.inputs)),
        rows_(lay_out(random, s)),
        bits_(rows_ * words_) {
    for (size_t r = 0; r < rows_; ++r) {
      pointers_.push_back(bits_.data() + r * words_);
      for (size_t i = 0; i < s.inputs; ++i) {
        if (random.chance(density)) set_bit(bits_.data() + r * words_, i);
      }
    }
  }
  [[nodiscard]] size_t rows() const { return rows_; }
  [[nodiscard]] kernels::SpikeRaster raster() const {
    return {pointers_.data(), rows_, places_.data(), offsets_.data(), shape_.pixels};
  }
  /// The sums of weights [channels][taps][inputs], in rows of padded channels.
  [[nodiscard]] std::vector<int32_t> sums(const std::vector<int8_t>& weights) const {
    const size_t cp = kernels::pad_channels(shape_.channels);
    std::vector<int32_t> out(shape_.pixels * cp);
    for (size_t p = 0; p < shape_.pixels; ++p) {
      for (size_t tap = 0; tap < shape_.taps; ++tap) {
        const uint64_t* row = pointers_[places_[p] + offsets_[tap]];
        for (size_t i = 0; i < shape_.inputs; ++i) {
          if (!get_bit(row, i)) continue;
          for (size_t c = 0; c < shape_.channels; ++c)
            out[p * cp + c] += weights[(c * shape_.taps + tap) * shape_.inputs + i];
        }
      }
    }
    return out;
  }

 private:
  size_t lay_out(Random& random, const RasterShape& s) {
    size_t place = random.size(0, 3);
    for (size_t p = 0; p < s.pixels; ++p, ++place) {
      if (random.chance(0.1)) place += random.size(1, 40);
      places_.push_back(static_cast<uint32_t>(place));
    }
    for (size_t tap = 0; tap < s.taps; ++tap) {
      const bool side_by_side = tap % s.run_taps > 0;
      offsets_.push_back(side_by_side ? offsets_.back() + 1
                                      : static_cast<uint32_t>(random.size(0, 70) / align_ * align_));
    }
    return place + 70 + s.run_taps;
  }

  size_t align_;
  RasterShape shape_;
  size_t words_;
  std::vector<uint32_t> places_, offsets_;
  size_t rows_;
  Guarded<uint64_t> bits_;
  std::vector<const uint64_t*> pointers_;
};

}  // namespace snncore::test
