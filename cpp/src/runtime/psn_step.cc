#include "runtime/psn_step.h"

#include <cstring>
#include <utility>

#include "kernels/table.h"
#include "runtime/tiled_step.h"

namespace snncore::runtime {
namespace {

class PsnStep final : public TiledStep {
 public:
  PsnStep(PsnNeuron neuron, const NeuronPlace& place, size_t tile)
      : TiledStep(place, tile), neuron_(std::move(neuron)) {}

  // Currents, then the list of planes, then the synapse's own bytes.
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return tile_bytes() + list_bytes() + neuron_.currents->lane_bytes(tile_, place_.steps);
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    auto* planes = reinterpret_cast<const float**>(lane + tile_bytes());
    const size_t stride = fill(f, *neuron_.currents, tile, lane, lane + tile_bytes() + list_bytes());
    list_planes(f, tile, reinterpret_cast<const float*>(lane), stride, planes);
    kernels::PsnTile k{};
    k.planes = planes;
    k.first_stride = neuron_.looks_ahead ? 0 : 1;
    k.weights = neuron_.weights.data();
    k.weights_stride = neuron_.looks_ahead ? neuron_.taps : 0;
    k.taps = neuron_.taps;
    k.bias = neuron_.bias.data();
    k.bias_stride = neuron_.looks_ahead ? 1 : 0;
    place(f, tile, k);
    kernels::kernels().step_psn_f32(k);
    keep(f, tile, planes);
  }

 private:
  [[nodiscard]] size_t past() const noexcept { return neuron_.looks_ahead ? 0 : neuron_.taps - 1; }
  [[nodiscard]] size_t list_bytes() const noexcept {
    return align_up((past() + place_.steps) * sizeof(const float*));
  }

  // The steps before, the oldest first; null where none is kept. Then those of this run.
  void list_planes(const Frame& f, const Tile& tile, const float* currents, size_t stride,
                   const float** planes) const noexcept {
    for (size_t i = 0; i < past(); ++i) planes[i] = past_plane(f, tile, i);
    for (size_t t = 0; t < place_.steps; ++t) planes[past() + t] = currents + t * stride;
  }

  [[nodiscard]] float* past_plane(const Frame& f, const Tile& tile, size_t i) const noexcept {
    float* first = state_of<float>(f, place_.state_offset, tile);
    return first == nullptr ? nullptr : first + i * place_.out.batch * place_.out.pixels * padded();
  }

  // The last steps become those before the next run. In ascending order none is read after it was written.
  void keep(const Frame& f, const Tile& tile, const float* const* planes) const noexcept {
    if (!place_.state_offset) return;
    for (size_t i = 0; i < past(); ++i) {
      std::memcpy(past_plane(f, tile, i), planes[i + place_.steps], tile.count * padded() * sizeof(float));
    }
  }

  PsnNeuron neuron_;
};

}  // namespace

size_t psn_state_bytes(const NeuronPlace& place, const PsnNeuron& neuron) noexcept {
  return neuron.looks_ahead ? 0 : (neuron.taps - 1) * neuron_state_bytes(place, 32);
}

std::unique_ptr<Step> psn_step(PsnNeuron neuron, const NeuronPlace& place) {
  const size_t tile = tile_pixels(place, place.out.batch, neuron.currents->good_tile());
  return std::make_unique<PsnStep>(std::move(neuron), place, tile);
}

}  // namespace snncore::runtime
