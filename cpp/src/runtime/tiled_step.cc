#include "runtime/tiled_step.h"

#include "kernels/table.h"

namespace snncore::runtime {

CurrentsStep::CurrentsStep(IntCurrents currents, const NeuronPlace& place, size_t tile,
                           bool kernel_requantises)
    : TiledStep(place, tile),
      in_(std::move(currents)),
      direct_(kernel_requantises && in_.sums.size() == 1 && !in_.wide && !in_.each_step),
      offset_(in_.c.size()),
      shift_(in_.n.begin(), in_.n.end()),
      rounded_(in_.c.size()) {
  for (size_t i = 0; i < offset_.size(); ++i) {
    const int32_t n = in_.n[i % padded()];
    offset_[i] = in_.c[i] + (n > 0 ? int64_t{1} << (n - 1) : 0);
    // With `wide` the sum of the two may leave int32; that path adds them in int64.
    if (!in_.wide) rounded_[i] = static_cast<int32_t>(offset_[i]);
  }
  for (const SumInput& sum : in_.sums) sum.synapse->cut(tile, sum.synapse->is_static() ? 1 : place.steps);
}

size_t CurrentsStep::lane_bytes() const noexcept {
  size_t own = 0;
  for (const SumInput& in : in_.sums) own = std::max(own, in.synapse->lane_bytes(tile_, place_.steps));
  return (3 + more_sums()) * tile_bytes() + own;
}

void CurrentsStep::add_spikes(const Frame& f, const Tile& tile, bool add, int32_t* currents) const noexcept {
  for (const SpikeInput& in : in_.spikes) {
    if (in.slot.type == ops::EdgeType::kSpike) {
      kernels::kernels().add_bits_i32(weighted(f, tile, in), padded(), add, currents);
    } else {
      if (!add) std::fill_n(currents, place_.steps * tile.count * padded(), 0);
      add_counts(f, tile, in, currents);
    }
    add = true;
  }
}

void CurrentsStep::add_counts(const Frame& f, const Tile& tile, const SpikeInput& in,
                              int32_t* to) const noexcept {
  for (size_t t = 0; t < place_.steps; ++t) {
    for (size_t p = 0; p < tile.count; ++p, to += padded()) {
      const auto* counts = in.slot.row<const uint16_t>(f, t, tile.n, tile.first + p);
      for (size_t c = 0; c < place_.out.channels; ++c) to[c] += counts[c] * in.factor[c];
    }
  }
}

}  // namespace snncore::runtime
