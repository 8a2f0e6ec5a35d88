#include "runtime/residual_step.h"

#include <utility>

#include "runtime/tiled_step.h"

namespace snncore::runtime {
namespace {

class ResidualStep final : public CurrentsStep {
 public:
  ResidualStep(IntCurrents currents, std::vector<Slot> streams, const NeuronPlace& place, size_t tile)
      : CurrentsStep(std::move(currents), place, tile, false), streams_(std::move(streams)) {}

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    auto* spikes = reinterpret_cast<int32_t*>(lane + 2 * tile_bytes());
    const size_t step = tile.count * padded();
    add_spikes(f, tile, false, spikes);
    requantise(f, tile, lane, lane + 3 * tile_bytes(), [&](size_t t) noexcept {
      Rows rows{place_.out.row<int32_t>(f, t, tile.n, tile.first), 0, {}};
      for (const Slot& stream : streams_) {
        rows.stream[rows.streams++] = stream.row<int32_t>(f, t, tile.n, tile.first);
      }
      if (!in_.spikes.empty()) rows.stream[rows.streams++] = spikes + t * step;
      return rows;
    });
  }

 private:
  std::vector<Slot> streams_;
};

}  // namespace

std::unique_ptr<Step> residual_step(IntCurrents currents, std::vector<Slot> streams,
                                    const NeuronPlace& place) {
  const size_t tile = currents_tile(currents, place);
  return std::make_unique<ResidualStep>(std::move(currents), std::move(streams), place, tile);
}

}  // namespace snncore::runtime
