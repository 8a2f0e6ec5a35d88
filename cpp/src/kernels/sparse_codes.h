// Weight codes of a pruned layer as SparseWeights holds them, made once when weights are laid out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/weights.h"

namespace snncore::kernels {

/// The memory behind SparseWeights.
struct SparseCodes {
  std::vector<int32_t> codes;  // each in all four bytes
  std::vector<uint32_t> places, starts;
  size_t chunk = 1, inputs = 0, taps = 0, channels = 0;

  [[nodiscard]] size_t bytes() const noexcept {
    return (codes.size() + places.size() + starts.size()) * sizeof(uint32_t);
  }
  /// Of a channel.
  [[nodiscard]] size_t most_chunks() const noexcept {
    size_t most = 0;
    for (size_t c = 1; c < starts.size(); ++c) most = std::max<size_t>(most, starts[c] - starts[c - 1]);
    return most;
  }
  [[nodiscard]] SparseWeights view() const noexcept {
    return {codes.data(), places.data(), starts.data(), chunk, inputs, taps, channels, starts.size() - 1};
  }
};

/// `codes`: [channels][taps][inputs].
SparseCodes sparse_codes(const int8_t* codes, size_t channels, size_t taps, size_t inputs);

}  // namespace snncore::kernels
