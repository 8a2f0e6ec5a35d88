#include "runtime/neuron_step.h"

#include <algorithm>
#include <cstring>

#include "base/bits.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// Sums of a tile, all steps counted: few enough to stay in the second-level cache.
constexpr size_t kTileBytes = 128 * 1024;
// Tiles of a sample that several threads can share.
constexpr size_t kTilesForThreads = 8;

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

class IntNeuronStep final : public TiledStep {
 public:
  IntNeuronStep(IntNeuron neuron, const NeuronPlace& place, size_t tile)
      : TiledStep(place, tile), neuron_(std::move(neuron)) {
    direct_ = neuron_.sums.size() == 1 && !neuron_.wide;
    ones_.assign(padded(), 1);
    zeros_.assign(padded(), 0);
    half_.resize(padded());
    for (size_t i = 0; i < padded(); ++i) half_[i] = neuron_.n[i] > 0 ? int64_t{1} << (neuron_.n[i] - 1) : 0;
    rounded_.resize(padded());
    // With `wide` the sum of the two may leave int32; that path adds them in int64.
    for (size_t i = 0; i < padded() && !neuron_.wide; ++i)
      rounded_[i] = static_cast<int32_t>(neuron_.c[i] + half_[i]);
  }

  // Lane: sums of one input, then currents of several inputs, then spike inputs, then the synapses' own
  // bytes.
  [[nodiscard]] size_t lane_bytes() const noexcept override {
    size_t own = 0;
    for (const SumInput& in : neuron_.sums) own = std::max(own, in.synapse->lane_bytes(tile_, place_.steps));
    return 3 * tile_bytes() + (direct_ ? 0 : 2 * tile_bytes()) + own;
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    std::byte* sums = lane;
    auto* currents = reinterpret_cast<int32_t*>(lane + tile_bytes());
    auto* extra = reinterpret_cast<int32_t*>(lane + 2 * tile_bytes());
    std::byte* rest = lane + 3 * tile_bytes();

    kernels::LifTile k{};
    if (direct_) {
      k.sums_t_stride = fill(f, *neuron_.sums[0].synapse, tile, sums, rest);
      k.sums = reinterpret_cast<const int32_t*>(sums);
      k.m = neuron_.sums[0].factor.data();
      k.c = rounded_.data();
      k.n = neuron_.n.data();
    } else {
      requantise(f, tile, sums, currents, rest);
      k.sums_t_stride = tile.count * padded();
      k.sums = currents;
      k.m = ones_.data();
      k.c = k.n = zeros_.data();
    }
    if (neuron_.profile_x_shift) {
      run_x(f, tile, k);
      return;
    }
    k.extra = neuron_.spikes.empty() ? nullptr : extra;
    if (k.extra != nullptr) add_spikes(f, tile, extra);
    k.theta = neuron_.theta.data();
    k.psi = neuron_.psi.empty() ? nullptr : neuron_.psi.data();
    k.leak = neuron_.leak;
    k.leak_param = neuron_.leak_param;
    k.leak_at_store = neuron_.leak_at_store;
    place(f, tile, k);
    switch (neuron_.state_bits) {
      case 8:
        k.state = state_of<int8_t>(f, place_.state_offset, tile);
        kernels().step_lif_i8(k);
        break;
      case 16:
        k.state = state_of<int16_t>(f, place_.state_offset, tile);
        kernels().step_lif_i16(k);
        break;
      default:
        k.state = state_of<int32_t>(f, place_.state_offset, tile);
        kernels().step_lif_i32(k);
        break;
    }
  }

 private:
  void run_x(const Frame& f, const Tile& tile, const kernels::LifTile& sums) const noexcept {
    kernels::LifXTile x{};
    x.sums = sums.sums;
    x.sums_t_stride = sums.sums_t_stride;
    x.shift = *neuron_.profile_x_shift;
    x.theta = neuron_.theta.data();
    place(f, tile, x);
    x.state = state_of<int32_t>(f, place_.state_offset, tile);
    x.age = state_of<uint8_t>(f, place_.age_offset, tile);
    kernels().step_lifx_i32(x);
  }

  // Several sums, or 64-bit products: I = clamp32((sum_j A_j * M_j + C + h) >> n).
  void requantise(const Frame& f, const Tile& tile, std::byte* sums, int32_t* currents,
                  std::byte* rest) const noexcept {
    const size_t step = tile.count * padded(), total = place_.steps * step;
    auto* wide = reinterpret_cast<int64_t*>(rest);
    std::byte* lane = rest + 2 * tile_bytes();
    const size_t rows = total / padded(), cp = padded();
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < cp; ++c) wide[r * cp + c] = int64_t{neuron_.c[c]} + half_[c];
    }
    for (const SumInput& in : neuron_.sums) {
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
            static_cast<int32_t>(std::clamp<int64_t>(wide[r * cp + c] >> neuron_.n[c], INT32_MIN, INT32_MAX));
      }
    }
  }

  void add_spikes(const Frame& f, const Tile& tile, int32_t* extra) const noexcept {
    const size_t channels = place_.out.channels;
    std::memset(extra, 0, place_.steps * tile.count * padded() * sizeof(int32_t));
    for (const SpikeInput& in : neuron_.spikes) {
      for (size_t t = 0; t < place_.steps; ++t) {
        for (size_t p = 0; p < tile.count; ++p) {
          int32_t* to = extra + (t * tile.count + p) * padded();
          const std::byte* row = in.slot.row(f, t, tile.n, tile.first + p);
          if (in.slot.type == ops::EdgeType::kSpike) {
            const auto* words = reinterpret_cast<const uint64_t*>(row);
            kernels().add_bits_i32(words, padded(), in.factor.data(), to);
          } else {
            const auto* counts = reinterpret_cast<const uint16_t*>(row);
            for (size_t c = 0; c < channels; ++c) to[c] += counts[c] * in.factor[c];
          }
        }
      }
    }
  }

  IntNeuron neuron_;
  bool direct_ = true;  // one sum: the kernel requantises it
  std::vector<int32_t> ones_, zeros_, rounded_;
  std::vector<int64_t> half_;
};

class FloatNeuronStep final : public TiledStep {
 public:
  FloatNeuronStep(FloatNeuron neuron, const NeuronPlace& place, size_t tile)
      : TiledStep(place, tile), neuron_(std::move(neuron)) {}

  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return tile_bytes() + neuron_.currents->lane_bytes(tile_, place_.steps);
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    kernels::LifFloatTile k{};
    k.currents_t_stride = fill(f, *neuron_.currents, tile, lane, lane + tile_bytes());
    k.currents = reinterpret_cast<const float*>(lane);
    k.decay = neuron_.decay;
    k.input_gain = neuron_.input_gain;
    k.threshold = neuron_.threshold;
    k.subtract = neuron_.subtract;
    k.strict = neuron_.strict;
    place(f, tile, k);
    k.state = state_of<float>(f, place_.state_offset, tile);
    kernels().step_lif_f32(k);
  }

 private:
  FloatNeuron neuron_;
};

class SumsStep final : public Step {
 public:
  SumsStep(std::unique_ptr<Synapse> synapse, const Slot& out)
      : synapse_(std::move(synapse)),
        out_(out),
        tile_(tile_pixels(out.pixels, out.row_bytes / 4, 1, synapse_->good_tile())) {}

  [[nodiscard]] size_t chunks() const noexcept override { return out_.steps * out_.batch * tiles(); }
  [[nodiscard]] size_t lane_bytes() const noexcept override { return synapse_->lane_bytes(tile_, 1); }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const size_t first = chunk % tiles() * tile_, sample = chunk / tiles();
    const Tile tile{.t = sample / out_.batch,
                    .n = sample % out_.batch,
                    .first = first,
                    .count = std::min(tile_, out_.pixels - first),
                    .steps = 1};
    synapse_->sums(f, tile, out_.row(f, tile.t, tile.n, tile.first), lane);
  }

 private:
  [[nodiscard]] size_t tiles() const noexcept { return (out_.pixels + tile_ - 1) / tile_; }

  std::unique_ptr<Synapse> synapse_;
  Slot out_;
  size_t tile_;
};

}  // namespace

size_t tile_pixels(size_t pixels, size_t channels_padded, size_t steps, TileSize good) noexcept {
  const size_t fit = kTileBytes / (channels_padded * sizeof(int32_t));
  const size_t least = std::min(good.least, fit) / steps, most = std::min(good.most, fit) / steps;
  return std::clamp<size_t>(std::clamp(pixels / kTilesForThreads, least, most), 1, pixels);
}

size_t neuron_state_bytes(const NeuronPlace& place, int state_bits) noexcept {
  return align_up(place.out.batch * place.out.pixels * kernels::pad_channels(place.out.channels) *
                  static_cast<size_t>(state_bits) / 8);
}

size_t neuron_age_bytes(const NeuronPlace& place) noexcept { return neuron_state_bytes(place, 8); }

std::unique_ptr<Step> int_neuron_step(IntNeuron neuron, const NeuronPlace& place) {
  TileSize good{1, 1};
  for (const SumInput& in : neuron.sums) {
    const TileSize size = in.synapse->good_tile();
    good = {std::max(good.least, size.least), std::max(good.most, size.most)};
  }
  const size_t tile =
      tile_pixels(place.out.pixels, kernels::pad_channels(place.out.channels), place.steps, good);
  return std::make_unique<IntNeuronStep>(std::move(neuron), place, tile);
}

std::unique_ptr<Step> float_neuron_step(FloatNeuron neuron, const NeuronPlace& place) {
  const size_t tile = tile_pixels(place.out.pixels, kernels::pad_channels(place.out.channels), place.steps,
                                  neuron.currents->good_tile());
  return std::make_unique<FloatNeuronStep>(std::move(neuron), place, tile);
}

std::unique_ptr<Step> sums_step(std::unique_ptr<Synapse> synapse, const Slot& out) {
  return std::make_unique<SumsStep>(std::move(synapse), out);
}

}  // namespace snncore::runtime
