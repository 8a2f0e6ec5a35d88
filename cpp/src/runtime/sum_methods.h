// Which kernel sums the spikes of a tile: all give the same integers, so the fastest may do it. What they
// cost is data, KernelTable::costs.
#pragma once

#include <cstddef>

#include "kernels/table.h"
#include "runtime/raster.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

enum class SumMethod { kGather, kCount, kSparse, kLookUp, kDense };

/// What time depends on beside the weights.
struct TileWork {
  size_t pixels;           // all steps counted
  size_t raster_rows;      // that the tile becomes for kernels whose lanes are pixels
  size_t vectors;          // that its pixels take there
  size_t dense_rows = 0;   // that it becomes for dense products, one block of lines for all taps
  size_t dense_tiles = 0;  // of kDensePixels pixels
  double density;          // share of the inputs that spike

  TileWork(const Window& window, const Tile& tile, double spikes) noexcept;
  /// A share of the rows of a 1x1 layer, which has all the spikes.
  [[nodiscard]] TileWork part(double share) const noexcept;
};

/// The methods that the weights of a layer have been laid out for. Refers to both.
class SumMethods {
 public:
  SumMethods(const SynapseShape& shape, const PackedWeights& weights) noexcept
      : shape_(shape), weights_(weights) {}

  [[nodiscard]] bool has(SumMethod method) const noexcept;
  /// Does any of them read rasters?
  [[nodiscard]] bool rasters() const noexcept {
    return has(SumMethod::kSparse) || has(SumMethod::kLookUp) || has(SumMethod::kDense);
  }
  [[nodiscard]] bool only_gather() const noexcept { return !rasters() && !has(SumMethod::kCount); }

  /// What a tile takes, estimated.
  [[nodiscard]] double ns(SumMethod method, const TileWork& work) const noexcept;
  [[nodiscard]] SumMethod fastest(const TileWork& work) const noexcept;

  /// Can sums be left in lanes? They are looked up there.
  [[nodiscard]] bool has_lanes() const noexcept {
    return kernels::kernels().lanes && has(SumMethod::kLookUp) && shape_.groups == 1;
  }
  /// Is that faster than rows of sums, by whatever method? For a tile that becomes so many rows and vectors.
  [[nodiscard]] bool lanes_fastest(const TileWork& work, size_t rows, size_t vectors) const noexcept;

 private:
  [[nodiscard]] double gather_ns(const TileWork& work) const noexcept;
  [[nodiscard]] double count_ns(const TileWork& work) const noexcept;
  [[nodiscard]] double sparse_ns(const TileWork& work) const noexcept;
  [[nodiscard]] double look_up_ns(const TileWork& work) const noexcept;
  [[nodiscard]] double looks_ns(size_t rows, size_t vectors, size_t channels) const noexcept;
  [[nodiscard]] double dense_ns(const TileWork& work) const noexcept;

  const SynapseShape& shape_;
  const PackedWeights& weights_;
};

/// The costs in use: those of the level, or what a test puts in their place to force a method (null: the
/// level's again).
const kernels::SumCosts& sum_costs() noexcept;
void replace_sum_costs(const kernels::SumCosts* costs) noexcept;

}  // namespace snncore::runtime
