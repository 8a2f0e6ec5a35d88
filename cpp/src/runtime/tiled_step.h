// What steps of neurons share: tiles of one sample, and the currents of integer neurons.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels/table.h"
#include "ops/check.h"
#include "runtime/neuron_step.h"

namespace snncore::runtime {

// Cuts [sample][pixel] into tiles of one sample.
class TiledStep : public Step {
 public:
  TiledStep(const NeuronPlace& place, size_t tile) : place_(place), tile_(tile) {}
  [[nodiscard]] size_t chunks() const noexcept override { return place_.out.batch * tiles(); }

 protected:
  [[nodiscard]] size_t tiles() const noexcept { return (place_.out.pixels + tile_ - 1) / tile_; }
  [[nodiscard]] Tile tile_of(size_t chunk) const noexcept {
    const size_t first = chunk % tiles() * tile_;
    return {.t = 0,
            .n = chunk / tiles(),
            .first = first,
            .count = std::min(tile_, place_.out.pixels - first),
            .steps = place_.steps};
  }
  [[nodiscard]] size_t padded() const noexcept { return kernels::pad_channels(place_.out.channels); }

  // The part of the state that belongs to a tile; null when nothing survives the run.
  template <typename T>
  [[nodiscard]] T* state_of(const Frame& f, const std::optional<size_t>& offset,
                            const Tile& tile) const noexcept {
    if (!offset) return nullptr;
    return reinterpret_cast<T*>(f.state + *offset) + (tile.n * place_.out.pixels + tile.first) * padded();
  }

  // Sums of all steps, [t][pixel][channel]; one step when they do not change. Returns the distance between
  // steps.
  size_t fill(const Frame& f, const Synapse& synapse, Tile tile, std::byte* to,
              std::byte* lane) const noexcept {
    tile.steps = synapse.is_static() ? 1 : place_.steps;
    synapse.sums(f, tile, to, lane);
    return synapse.is_static() ? 0 : tile.count * padded();
  }

  // Fields that every neuron kernel's tile has.
  template <typename T>
  void place(const Frame& f, const Tile& tile, T& out) const noexcept {
    out.steps = place_.steps;
    out.pixels = tile.count;
    out.channels = place_.out.channels;
    out.channels_padded = padded();
    out.out = place_.out.row<uint64_t>(f, 0, tile.n, tile.first);
    out.out_stride = place_.out.row_bytes / 8;
    out.out_t_stride = place_.out.step_bytes() / 8;
    if (!place_.record) return;
    out.record = place_.record->row<std::remove_pointer_t<decltype(out.record)>>(f, 0, tile.n, tile.first);
    out.record_t_stride = place_.record->step_bytes() / 4;
  }

  [[nodiscard]] size_t tile_bytes() const noexcept {
    return align_up(place_.steps * tile_ * padded() * sizeof(int32_t));
  }

  NeuronPlace place_;
  size_t tile_;
};

// Currents of integers. Lane: sums of the first input, currents, spike inputs, sums of the other inputs; then
// the synapses' own bytes.
class CurrentsStep : public TiledStep {
 public:
  // `kernel_requantises`: the neuron's kernel takes sums where there is but one.
  CurrentsStep(IntCurrents currents, const NeuronPlace& place, size_t tile, bool kernel_requantises);
  [[nodiscard]] size_t lane_bytes() const noexcept override;

 protected:
  // Where a step's currents go, and the rows that are added to them as they are.
  struct Rows {
    int32_t* to;
    size_t streams;
    const int32_t* stream[ops::kMaxInputs + 1];
  };

  // Several sums, or 64-bit products: I = clamp32((sum_j A_j * M_j + C + h) >> n), and streams, which are
  // wide. `rows_of`: step -> Rows.
  template <typename RowsOf>
  void requantise(const Frame& f, const Tile& tile, std::byte* sums, std::byte* rest,
                  const RowsOf& rows_of) const noexcept {
    const size_t count = in_.sums.size();
    const int32_t *a[2 * ops::kMaxInputs + 1], *m[ops::kMaxInputs];
    size_t strides[ops::kMaxInputs];
    for (size_t j = 0; j < count; ++j) {
      const Synapse& synapse = *in_.sums[j].synapse;
      if (const Synapse::Rows rows = synapse.stored(f, tile); rows.first != nullptr) {
        a[j] = rows.first;
        strides[j] = rows.t_stride;
        continue;
      }
      std::byte* to = j == 0 ? sums : rest + (j - 1) * tile_bytes();
      strides[j] = fill(f, synapse, tile, to, rest + more_sums() * tile_bytes());
      a[j] = reinterpret_cast<const int32_t*>(to);
    }
    for (size_t t = 0; t < place_.steps; ++t) {
      const Rows rows = rows_of(t);
      const size_t step = static_cast<size_t>(f.steps_before) + t;
      for (size_t j = 0; j < count; ++j) m[j] = row_of(in_.sums[j].factor, step);
      if (in_.wide) {
        std::copy_n(rows.stream, rows.streams, a + count);
        const kernels::WideRequant q{count, rows.streams, m, row_of(offset_, step), shift_.data(), padded()};
        kernels::kernels().requant_i64_i32(a, q, tile.count, rows.to);
      } else {
        const kernels::Requant q{count, m, row_of(rounded_, step), in_.n.data(), padded()};
        kernels::kernels().requant_i32_i32(a, q, tile.count, rows.to);
      }
      for (size_t j = 0; j < count; ++j) a[j] += strides[j];
    }
  }
  // Into one block, a step behind the other.
  void requantise(const Frame& f, const Tile& tile, std::byte* sums, int32_t* currents,
                  std::byte* rest) const noexcept {
    const size_t step = tile.count * padded();
    requantise(f, tile, sums, rest, [=](size_t t) noexcept { return Rows{currents + t * step, 0, {}}; });
  }
  // I += sum_j K_j * s_j or, without `add`, I = that.
  void add_spikes(const Frame& f, const Tile& tile, bool add, int32_t* currents) const noexcept;
  // Of spikes, not counts.
  [[nodiscard]] kernels::WeightedSpikes weighted(const Frame& f, const Tile& tile,
                                                 const SpikeInput& in) const noexcept {
    const size_t t_stride = in.slot.is_static() ? 0 : in.slot.step_bytes() / sizeof(uint64_t);
    return {in.slot.row<const uint64_t>(f, 0, tile.n, tile.first),
            in.slot.row_bytes / sizeof(uint64_t),
            t_stride,
            place_.steps,
            tile.count,
            in.factor.data()};
  }

  // Of values that have a row for each step or one for all.
  template <typename T>
  [[nodiscard]] const T* row_of(const std::vector<T>& values, size_t step) const noexcept {
    return values.data() + (values.size() == padded() ? 0 : step * padded());
  }
  [[nodiscard]] size_t more_sums() const noexcept { return std::max<size_t>(in_.sums.size(), 1) - 1; }

  IntCurrents in_;
  bool direct_;                          // the kernel gets sums
  std::vector<int64_t> offset_, shift_;  // C + h, whose rows are those of C, and n
  std::vector<int32_t> rounded_;         // the same where nothing is wide

 private:
  void add_counts(const Frame& f, const Tile& tile, const SpikeInput& in, int32_t* to) const noexcept;
};

}  // namespace snncore::runtime
