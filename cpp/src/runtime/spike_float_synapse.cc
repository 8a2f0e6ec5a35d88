// Spikes into float weights: gathered in ascending order, the written order of the sum.
#include "kernels/table.h"
#include "runtime/spike_rows.h"
#include "runtime/synapse_base.h"

namespace snncore::runtime {
namespace {

class SpikeFloatSynapse final : public SynapseBase {
 public:
  SpikeFloatSynapse(const SynapseShape& shape, const Slot& input,
                    std::shared_ptr<const PackedWeights> weights)
      : SynapseBase(shape, input, std::move(weights)), rows_(shape, input) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t steps) const noexcept override {
    return part_bytes(pixels * steps) + rows_.bytes(pixels, steps) + rows_.scratch_bytes(pixels, steps);
  }

  // Weights that a second-level cache cannot hold come from farther away again for each tile: a large one,
  // whose sums take their place there.
  [[nodiscard]] TileSize good_tile() const noexcept override {
    constexpr size_t kSecondLevel = size_t{1} << 20;
    if (weights_->codes.size() <= kSecondLevel) return listing_tile();
    return {kRasterTile, kRasterTile, kSecondLevel};
  }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    const size_t pixels = tile.count * tile.steps;
    std::byte* const memory = lane + part_bytes(pixels);
    std::byte* const scratch = memory + rows_.bytes(tile.count, tile.steps);
    for_groups(shape_, pixels, static_cast<float*>(out), reinterpret_cast<float*>(lane),
               [&](size_t g, float* to) noexcept {
                 kernels::kernels().addrows_b1f32_f32(rows_.read(frame, tile, g, memory), weights(g), to,
                                                      scratch);
               });
  }

 private:
  [[nodiscard]] kernels::FloatWeights weights(size_t g) const noexcept {
    const SynapseShape s = gathered(shape_);
    const size_t cp = s.group_padded(), taps = s.window.taps(), group = taps * s.inputs * cp;
    const float* bias = weights_->bias.size() == 0 ? nullptr : weights_->bias.as<float>() + g * cp;
    return {weights_->codes.as<float>() + g * group, s.inputs, taps, cp, bias};
  }

  SpikeRows rows_;
};

}  // namespace

std::unique_ptr<Synapse> spike_float_synapse(const SynapseShape& shape, const Slot& input,
                                             std::shared_ptr<const PackedWeights> weights) {
  return std::make_unique<SpikeFloatSynapse>(shape, input, std::move(weights));
}

}  // namespace snncore::runtime
