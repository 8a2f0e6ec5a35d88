#include "runtime/tiled_step.h"

#include "kernels/table.h"

namespace snncore::runtime {

CurrentsStep::CurrentsStep(IntCurrents currents, const NeuronPlace& place, size_t tile,
                           bool kernel_requantises)
    : TiledStep(place, tile),
      in_(std::move(currents)),
      direct_(kernel_requantises && in_.sums.size() == 1 && !in_.wide),
      half_(padded()) {
  for (size_t i = 0; i < padded(); ++i) half_[i] = in_.n[i] > 0 ? int64_t{1} << (in_.n[i] - 1) : 0;
}

size_t CurrentsStep::lane_bytes() const noexcept {
  size_t own = 0;
  for (const SumInput& in : in_.sums) own = std::max(own, in.synapse->lane_bytes(tile_, place_.steps));
  return (direct_ ? 3 : 5) * tile_bytes() + own;
}

void CurrentsStep::requantise(const Frame& f, const Tile& tile, std::byte* sums, int32_t* currents,
                              std::byte* rest) const noexcept {
  const size_t step = tile.count * padded(), total = place_.steps * step;
  auto* wide = reinterpret_cast<int64_t*>(rest);
  std::byte* lane = rest + 2 * tile_bytes();
  const size_t rows = total / padded(), cp = padded();
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cp; ++c) wide[r * cp + c] = int64_t{in_.c[c]} + half_[c];
  }
  for (const SumInput& in : in_.sums) {
    const size_t stride = fill(f, *in.synapse, tile, sums, lane);
    for (size_t t = 0; t < place_.steps; ++t) {
      const auto* a = reinterpret_cast<const int32_t*>(sums) + t * stride;
      int64_t* to = wide + t * step;
      for (size_t p = 0; p < tile.count; ++p, a += cp, to += cp) {
        for (size_t c = 0; c < cp; ++c) to[c] += int64_t{a[c]} * in.factor[c];
      }
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cp; ++c) {
      currents[r * cp + c] =
          static_cast<int32_t>(std::clamp<int64_t>(wide[r * cp + c] >> in_.n[c], INT32_MIN, INT32_MAX));
    }
  }
}

void CurrentsStep::add_spikes(const Frame& f, const Tile& tile, int32_t* currents) const noexcept {
  const size_t channels = place_.out.channels;
  for (const SpikeInput& in : in_.spikes) {
    for (size_t t = 0; t < place_.steps; ++t) {
      for (size_t p = 0; p < tile.count; ++p) {
        int32_t* to = currents + (t * tile.count + p) * padded();
        const std::byte* row = in.slot.row(f, t, tile.n, tile.first + p);
        if (in.slot.type == ops::EdgeType::kSpike) {
          const auto* words = reinterpret_cast<const uint64_t*>(row);
          kernels::kernels().add_bits_i32(words, padded(), in.factor.data(), to);
        } else {
          const auto* counts = reinterpret_cast<const uint16_t*>(row);
          for (size_t c = 0; c < channels; ++c) to[c] += counts[c] * in.factor[c];
        }
      }
    }
  }
}

}  // namespace snncore::runtime
