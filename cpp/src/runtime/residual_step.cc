#include "runtime/residual_step.h"

#include <algorithm>
#include <cstring>
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
    auto* written = reinterpret_cast<int32_t*>(lane + tile_bytes());
    requantise(f, tile, lane, written, lane + 3 * tile_bytes());
    add_spikes(f, tile, written);
    const size_t step = tile.count * padded();
    for (size_t t = 0; t < place_.steps; ++t) {
      auto* to = place_.out.row<int32_t>(f, t, tile.n, tile.first);
      std::memcpy(to, written + t * step, step * sizeof(int32_t));
      if (!streams_.empty()) add_streams(f, t, tile, to, step);
    }
  }

 private:
  // One saturation, whatever is added.
  void add_streams(const Frame& f, size_t t, const Tile& tile, int32_t* to, size_t count) const noexcept {
    for (size_t i = 0; i < count; ++i) {
      int64_t sum = to[i];
      for (const Slot& stream : streams_) sum += stream.row<int32_t>(f, t, tile.n, tile.first)[i];
      to[i] = static_cast<int32_t>(std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX));
    }
  }

  std::vector<Slot> streams_;
};

}  // namespace

std::unique_ptr<Step> residual_step(IntCurrents currents, std::vector<Slot> streams,
                                    const NeuronPlace& place) {
  const size_t tile = currents_tile(currents, place);
  return std::make_unique<ResidualStep>(std::move(currents), std::move(streams), place, tile);
}

}  // namespace snncore::runtime
