#include "runtime/neuron_step.h"

#include <algorithm>

#include "kernels/table.h"
#include "runtime/tiled_step.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// Tiles of a sample that several threads can share.
constexpr size_t kTilesForThreads = 8;

class IntNeuronStep final : public CurrentsStep {
 public:
  IntNeuronStep(IntNeuron neuron, IntCurrents currents, const NeuronPlace& place, size_t tile)
      : CurrentsStep(std::move(currents), place, tile, true), neuron_(std::move(neuron)) {
    ones_.assign(padded(), 1);
    zeros_.assign(padded(), 0);
    if (neuron_.profile_x_shift || !neuron_.gamma.empty() || !neuron_.load.empty()) return;
    const kernels::KernelTable& table = kernels();
    step_ = neuron_.state_bits == 8    ? table.step_lif_i8
            : neuron_.state_bits == 16 ? table.step_lif_i16
                                       : table.step_lif_i32;
    const bool short_factors =
        direct_ && std::ranges::all_of(in_.sums[0].factor, [](int32_t m) { return m <= INT16_MAX; });
    short_sums_ = short_factors && in_.sums[0].is_short;
    if (neuron_.state_bits <= 16 && place_.steps <= kernels::kLaneSteps && short_factors) {
      step_lanes_ = neuron_.state_bits == 8 ? table.step_lif_i8_lanes : table.step_lif_i16_lanes;
    }
    straight_ = direct_ && one_shortcut_at_most() && !place_.state_offset && !place_.record;
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    std::byte* sums = lane;
    auto* currents = reinterpret_cast<int32_t*>(lane + tile_bytes());
    auto* extra = reinterpret_cast<int32_t*>(lane + 2 * tile_bytes());
    std::byte* rest = lane + 3 * tile_bytes();

    const size_t step = tile.count * padded();
    kernels::LifTile k = constants();
    place(f, tile, k);
    k.sums_t_stride = step;
    k.sums = direct_ ? reinterpret_cast<const int32_t*>(sums) : currents;
    if (straight_) {
      const Synapse& synapse = *in_.sums[0].synapse;
      Tile one = tile;
      one.steps = synapse.is_static() ? 1 : place_.steps;
      TileNeurons neurons{k, step_, step_lanes_, {}, extra};
      if (!in_.spikes.empty()) neurons.spikes = weighted(f, tile, in_.spikes[0]);
      if (synapse.sums_or_spikes(f, one, neurons, sums, rest)) return;
      k.sums_t_stride = synapse.is_static() ? 0 : step;
    } else if (direct_) {
      k.sums_t_stride = fill(f, *in_.sums[0].synapse, tile, sums, rest);
    } else {
      requantise(f, tile, sums, currents, rest);
    }
    if (neuron_.profile_x_shift) {
      run_x(f, tile, k);
      return;
    }
    if (!in_.spikes.empty()) {
      add_spikes(f, tile, false, extra);
      k.extra = extra;
    }
    if (!neuron_.gamma.empty()) {
      k.gamma = neuron_.gamma.data();
      k.state = code_state(f, tile);
      kernels().step_lif_states(k);
      return;
    }
    if (!neuron_.load.empty()) {
      run_coded(f, tile, k);
      return;
    }
    switch (neuron_.state_bits) {
      case 8:
        k.state = state_of<int8_t>(f, place_.state_offset, tile);
        break;
      case 16:
        k.state = state_of<int16_t>(f, place_.state_offset, tile);
        break;
      default:
        k.state = state_of<int32_t>(f, place_.state_offset, tile);
        break;
    }
    step_(k);
  }

 private:
  [[nodiscard]] bool one_shortcut_at_most() const noexcept {
    return in_.spikes.empty() || (in_.spikes.size() == 1 && in_.spikes[0].slot.type == ops::EdgeType::kSpike);
  }
  // What is the same for all tiles.
  [[nodiscard]] kernels::LifTile constants() const noexcept {
    kernels::LifTile k{};
    k.m = direct_ ? in_.sums[0].factor.data() : ones_.data();
    k.c = direct_ ? rounded_.data() : zeros_.data();
    k.n = direct_ ? in_.n.data() : zeros_.data();
    k.short_sums = short_sums_;
    k.theta = neuron_.theta.data();
    k.psi = neuron_.psi.empty() ? nullptr : neuron_.psi.data();
    k.leak = neuron_.leak;
    k.leak_param = neuron_.leak_param;
    k.leak_at_store = neuron_.leak_at_store;
    return k;
  }

  void run_coded(const Frame& f, const Tile& tile, kernels::LifTile& k) const noexcept {
    k.code_bits = static_cast<size_t>(neuron_.state_bits);
    k.code_shift = neuron_.code_shift;
    k.membranes = neuron_.load.data();
    k.edges = neuron_.edges.empty() ? nullptr : neuron_.edges.data();
    k.state = code_state(f, tile);
    neuron_.state_bits == 8 ? kernels().step_lif_coded8(k) : kernels().step_lif_coded(k);
  }

  // Codes may have less than a byte each.
  [[nodiscard]] void* code_state(const Frame& f, const Tile& tile) const noexcept {
    if (!place_.state_offset) return nullptr;
    const size_t first = (tile.n * place_.out.pixels + tile.first) * padded();
    return f.state + *place_.state_offset + first * static_cast<size_t>(neuron_.state_bits) / 8;
  }

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

  IntNeuron neuron_;
  std::vector<int32_t> ones_, zeros_;
  // Null: neurons that have a way of their own, or no kernel for sums in lanes.
  void (*step_)(const kernels::LifTile&) = nullptr;
  void (*step_lanes_)(const kernels::LifTile&, const kernels::LaneSums&) = nullptr;
  bool straight_ = false;    // who sums may step the neurons, too
  bool short_sums_ = false;  // as LifTile has it
};

class CubaNeuronStep final : public CurrentsStep {
 public:
  CubaNeuronStep(CubaNeuron neuron, IntCurrents currents, const NeuronPlace& place, size_t tile)
      : CurrentsStep(std::move(currents), place, tile, false), neuron_(std::move(neuron)) {}

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    auto* currents = reinterpret_cast<int32_t*>(lane + tile_bytes());
    requantise(f, tile, lane, currents, lane + 3 * tile_bytes());
    add_spikes(f, tile, true, currents);
    kernels::CubaTile k{};
    k.currents = currents;
    k.currents_t_stride = tile.count * padded();
    k.current_decay = neuron_.current_decay;
    k.decay = neuron_.decay;
    k.input_shift = neuron_.input_shift;
    k.theta = neuron_.theta.data();
    k.bias = neuron_.bias.data();
    place(f, tile, k);
    if (place_.record_current) {
      k.record_current = place_.record_current->row<int32_t>(f, 0, tile.n, tile.first);
      k.record_t_stride = place_.record_current->step_bytes() / 4;
    }
    if (place_.state_offset) {
      k.state = reinterpret_cast<int32_t*>(f.state + *place_.state_offset) +
                2 * (tile.n * place_.out.pixels + tile.first) * padded();
    }
    kernels().step_cuba_i32(k);
  }

 private:
  CubaNeuron neuron_;
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
  SumsStep(std::unique_ptr<Synapse> synapse, const Slot& out, size_t threads)
      : synapse_(std::move(synapse)),
        out_(out),
        tile_(tile_pixels({.out = out, .threads = threads}, out.steps * out.batch, synapse_->good_tile())) {
    synapse_->cut(tile_, 1);
  }

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

// About as many pixels, as whole lines of so many or as equal parts of one.
size_t of_lines(size_t pixels, size_t width) noexcept {
  const size_t parts = (width + pixels / 2) / pixels;
  if (parts <= 1) return (pixels + width / 2) / width * width;
  for (const size_t p : {parts, parts - 1, parts + 1}) {
    if (width % p == 0) return width / p;
  }
  return pixels;
}

// Tiles that end within a line read what lies beside them for nothing: none does where the threads still have
// enough to share.
size_t end_with_lines(const NeuronPlace& place, size_t samples, size_t pixels) noexcept {
  const size_t wanted = of_lines(pixels, place.out.width);
  const size_t tiles = samples * ((place.out.pixels + wanted - 1) / wanted);
  return tiles % place.threads == 0 || tiles >= kTilesForThreads * place.threads ? wanted : pixels;
}

}  // namespace

size_t currents_tile(const IntCurrents& in, const NeuronPlace& place) noexcept {
  TileSize good{1, 1, 1};
  for (const SumInput& sum : in.sums) {
    const TileSize size = sum.synapse->good_tile();
    good = {std::max(good.least, size.least), std::max(good.most, size.most),
            std::max(good.sum_bytes, size.sum_bytes)};
  }
  return tile_pixels(place, place.out.batch, good);
}

size_t tile_pixels(const NeuronPlace& place, size_t samples, TileSize good) noexcept {
  const size_t pixels = place.out.pixels;
  const size_t fit = good.sum_bytes / (kernels::pad_channels(place.out.channels) * sizeof(int32_t));
  // Twice as many where channels are so many that few pixels would share their weights; half where threads
  // have so few tiles that they wait for each other at the end.
  const size_t whole = std::min(good.least, 2 * fit) / place.steps;
  const bool few = place.threads > 1 && samples * pixels < 2 * place.threads * whole;
  const size_t least = few ? whole / 2 : whole;
  const size_t most = std::max(std::min(good.most, fit) / place.steps, least);
  const size_t wanted = std::clamp<size_t>(std::clamp(pixels / kTilesForThreads, least, most), 1, pixels);
  size_t tiles = (pixels + wanted - 1) / wanted;
  while (tiles < pixels && samples * tiles % place.threads != 0) ++tiles;
  return end_with_lines(place, samples, (pixels + tiles - 1) / tiles);
}

size_t neuron_state_bytes(const NeuronPlace& place, int state_bits) noexcept {
  return align_up(place.out.batch * place.out.pixels * kernels::pad_channels(place.out.channels) *
                  static_cast<size_t>(state_bits) / 8);
}

size_t neuron_age_bytes(const NeuronPlace& place) noexcept { return neuron_state_bytes(place, 8); }

std::unique_ptr<Step> int_neuron_step(IntNeuron neuron, IntCurrents currents, const NeuronPlace& place) {
  const size_t tile = currents_tile(currents, place);
  return std::make_unique<IntNeuronStep>(std::move(neuron), std::move(currents), place, tile);
}

std::unique_ptr<Step> cuba_neuron_step(CubaNeuron neuron, IntCurrents currents, const NeuronPlace& place) {
  const size_t tile = currents_tile(currents, place);
  return std::make_unique<CubaNeuronStep>(std::move(neuron), std::move(currents), place, tile);
}

std::unique_ptr<Step> float_neuron_step(FloatNeuron neuron, const NeuronPlace& place) {
  const size_t tile = tile_pixels(place, place.out.batch, neuron.currents->good_tile());
  return std::make_unique<FloatNeuronStep>(std::move(neuron), place, tile);
}

std::unique_ptr<Step> sums_step(std::unique_ptr<Synapse> synapse, const Slot& out, size_t threads) {
  return std::make_unique<SumsStep>(std::move(synapse), out, threads);
}

}  // namespace snncore::runtime
