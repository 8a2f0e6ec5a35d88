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

/// The fastest method for a tile: with no more than a share `above` of the inputs spiking gathering, the only
/// one that silence saves time, else `busy`.
struct SumChoice {
  SumMethod busy;
  double above;

  [[nodiscard]] SumMethod at(double density) const noexcept {
    return density > above ? busy : SumMethod::kGather;
  }
};

/// The fastest method that leaves sums in lanes, faster than rows of sums, by whatever method, with more than
/// a share `above` of the inputs spiking.
struct LaneChoice {
  SumMethod method;
  double above;
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
  /// For such a tile, however many inputs spike.
  [[nodiscard]] SumChoice choice(const TileWork& work) const noexcept;
  [[nodiscard]] SumMethod fastest(const TileWork& work) const noexcept {
    return choice(work).at(work.density);
  }

  /// Can a method leave sums in lanes? Can any?
  [[nodiscard]] bool has_lanes(SumMethod method) const noexcept;
  [[nodiscard]] bool has_lanes() const noexcept {
    return has_lanes(SumMethod::kSparse) || has_lanes(SumMethod::kLookUp);
  }
  /// The fastest of those for a tile that becomes so many rows and vectors.
  [[nodiscard]] LaneChoice lane_choice(const TileWork& work, size_t rows, size_t vectors) const noexcept;

 private:
  [[nodiscard]] double gather_ns(const TileWork& work) const noexcept;
  /// The share of spiking inputs above which gathering takes longer.
  [[nodiscard]] double gather_above(TileWork work, double ns) const noexcept;
  [[nodiscard]] double count_ns(const TileWork& work) const noexcept;
  [[nodiscard]] double sparse_ns(const TileWork& work) const noexcept;
  [[nodiscard]] double codes_ns(size_t rows, size_t vectors) const noexcept;
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
