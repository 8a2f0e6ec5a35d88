// Weights of few bits as LutWeights holds them, made once when weights are laid out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/weights.h"

namespace snncore::kernels {

/// The memory behind LutWeights.
struct LutCodes {
  std::vector<int8_t> tables;  // operator new aligns to 16
  std::vector<uint16_t> runs;
  std::vector<uint32_t> starts;
  size_t inputs = 0, taps = 0, width = 4, channels = 0, channels_padded = 0;

  [[nodiscard]] size_t bytes() const noexcept {
    return tables.size() + runs.size() * sizeof(uint16_t) + starts.size() * sizeof(uint32_t);
  }
  /// Of a block.
  [[nodiscard]] size_t most_runs() const noexcept {
    size_t most = 0;
    for (size_t b = 1; b < starts.size(); ++b) most = std::max<size_t>(most, starts[b] - starts[b - 1]);
    return most;
  }
  [[nodiscard]] LutWeights view() const noexcept {
    return {tables.data(), runs.data(), starts.data(), inputs, taps, width, channels, channels_padded};
  }
};

/// `weights`: [channels][taps][inputs]. Do the sums of every table of `width` inputs fit a byte?
bool fits_lut(const int8_t* weights, size_t channels, size_t taps, size_t inputs, size_t width) noexcept;

/// Of weights that fit.
LutCodes lut_codes(const int8_t* weights, size_t channels, size_t taps, size_t inputs, size_t width);

}  // namespace snncore::kernels
