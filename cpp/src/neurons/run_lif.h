// Neurons straight from an array of currents, in parts that threads share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/neurons.h"

namespace snncore::neurons {

/// The extents of [T, N, C, places] or, with `channels_last`, [T, N, places, C].
struct LifExtents {
  size_t steps, samples, channels, places;
  bool channels_last;
};

/// A neuron bound to its kernel. Constants are one for each channel, so they follow the rows where rows are
/// channels, else the lanes: `channel` is that of the first row or lane.
class RowNeuron {
 public:
  virtual ~RowNeuron() = default;
  virtual void run(const kernels::LifRows& rows, size_t channel) const noexcept = 0;
};

/// One run. Channels last: a part is a row of channels. Channels first: a part is a tile of places of one
/// sample, whose spikes come as rows of places and are transposed.
class LifRun {
 public:
  /// `rows` says where currents, spikes and membranes start; their strides and extents are set here.
  LifRun(const LifExtents& extents, const RowNeuron& neuron, const kernels::LifRows& rows,
         size_t current_bytes) noexcept;

  [[nodiscard]] size_t parts() const noexcept;
  /// Bytes that a call of `run` needs, aligned to kAlign.
  [[nodiscard]] size_t scratch_bytes() const noexcept;
  void run(size_t first_part, size_t count, std::byte* scratch) const noexcept;

 private:
  [[nodiscard]] size_t tiles() const noexcept { return (e_.places + tile_ - 1) / tile_; }
  void run_tile(size_t sample, size_t first, std::byte* scratch) const noexcept;
  void run_at(size_t offset, kernels::LifRows rows, std::byte* scratch) const noexcept;
  void run_copied(kernels::LifRows rows, size_t channel, std::byte* scratch) const noexcept;

  LifExtents e_;
  const RowNeuron& neuron_;
  kernels::LifRows all_;
  size_t current_bytes_, tile_;
};

}  // namespace snncore::neurons
