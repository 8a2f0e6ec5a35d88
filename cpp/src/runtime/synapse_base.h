// What the synapses share: shape, input, weights, and groups.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "runtime/synapse.h"

namespace snncore::runtime {

/// Which layout of weights a node needs.
enum class Layout { kRows, kBytes, kFloats };
Layout layout_of(const ops::NodeView& node);

/// Pixels of a tile, all steps counted, where they are lanes.
inline constexpr size_t kRasterTile = 256;
/// As many where sums stay in lanes: more of a layer so narrow that theirs are few. A power of two, so that
/// tiles end with lines.
inline TileSize lane_tile(size_t channels) noexcept {
  constexpr size_t kSums = 6144;
  const size_t pixels = std::clamp(std::bit_floor(kSums / channels), kRasterTile, 2 * kRasterTile);
  return {pixels, pixels};
}
/// Its sums where weights are read once for all of its pixels, on CPUs that have large second-level caches.
inline constexpr size_t kDenseSums = 512 * 1024;

/// Bytes of a patch for the dense byte kernel.
inline size_t patch_bytes(const SynapseShape& s) noexcept { return align_up(s.window.taps() * s.inputs, 4); }

/// Groups of four bytes that a line of a window reads, for the kernel of lines, and the most channels that it
/// is faster for than rows.
inline size_t line_groups(const SynapseShape& s) noexcept {
  return (static_cast<size_t>(s.window.kernel_w) * s.inputs + 3) / 4;
}
inline constexpr size_t kMostLineChannels = 64;

// Sums of one group, written where they belong: straight into `out` when there is one group, else through
// `part`.
template <typename T, typename Compute>
void for_groups(const SynapseShape& s, size_t pixels, T* out, T* part, const Compute& compute) noexcept {
  if (s.groups == 1) {
    compute(size_t{0}, out);
    return;
  }
  for (size_t g = 0; g < s.groups; ++g) {
    compute(g, part);
    for (size_t p = 0; p < pixels; ++p) {
      std::memcpy(out + p * s.padded() + g * s.group_channels(), part + p * s.group_padded(),
                  s.group_channels() * sizeof(T));
    }
  }
  for (size_t p = 0; p < pixels; ++p)
    std::fill(out + p * s.padded() + s.channels, out + (p + 1) * s.padded(), T{});
}

class SynapseBase : public Synapse {
 public:
  SynapseBase(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights)
      : shape_(shape), input_(input), weights_(std::move(weights)) {}
  [[nodiscard]] bool is_static() const noexcept override { return input_.is_static(); }

 protected:
  // A window of several taps reads pixels beside those of the tile: the larger it is, the fewer are listed
  // again for its neighbours.
  [[nodiscard]] TileSize listing_tile() const noexcept {
    const size_t least = Synapse::good_tile().least;
    return {least, shape_.window.taps() > 1 ? kRasterTile : least};
  }
  [[nodiscard]] size_t part_bytes(size_t pixels) const noexcept {
    return shape_.groups == 1 ? 0 : align_up(pixels * shape_.group_padded() * sizeof(int32_t));
  }

  SynapseShape shape_;
  Slot input_;
  std::shared_ptr<const PackedWeights> weights_;
};

// A synapse that computes one step at a time.
class StepwiseSynapse : public SynapseBase {
 public:
  using SynapseBase::SynapseBase;
  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept final {
    Tile step = tile;
    step.steps = 1;
    for (; step.t < tile.t + tile.steps; ++step.t) {
      step_sums(frame, step, out, lane);
      out = static_cast<std::byte*>(out) + tile.count * shape_.padded() * sizeof(int32_t);
    }
  }

 private:
  virtual void step_sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept = 0;
};

/// Spikes into coded weights; `gate` as in `make_synapse`.
std::unique_ptr<Synapse> spike_synapse(const SynapseShape& shape, const Slot& input,
                                       std::shared_ptr<const PackedWeights> weights, bool odd,
                                       const Slot* gate);

/// Spikes into float weights.
std::unique_ptr<Synapse> spike_float_synapse(const SynapseShape& shape, const Slot& input,
                                             std::shared_ptr<const PackedWeights> weights);

/// Are these counts whose bits are summed one after the other, as spikes?
bool has_planes(const ops::NodeView& node);
std::unique_ptr<Synapse> count_synapse(const ops::NodeView& node, const SynapseShape& shape,
                                       const Slot& input, std::shared_ptr<const PackedWeights> weights);

/// Pixels, counts and real values into dense kernels.
std::unique_ptr<Synapse> dense_synapse(const ops::NodeView& node, const SynapseShape& shape,
                                       const Slot& input, std::shared_ptr<const PackedWeights> weights);

}  // namespace snncore::runtime
