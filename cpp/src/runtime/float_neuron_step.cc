#include "runtime/float_neuron_step.h"

#include <algorithm>
#include <utility>

#include "kernels/table.h"
#include "neurons/neuron.h"
#include "runtime/tiled_step.h"

namespace snncore::runtime {
namespace {

using kernels::pad_channels;

// One number, one a channel or one a neuron, in rows of padded channels. A flattened image has the rows of
// the image, and the elements of its vector lie as those do.
NeuronRows rows_of(const tensor::Tensor& t, const Slot& out) {
  const size_t count = t.bytes / sizeof(float), cp = pad_channels(out.channels);
  const bool each = count == out.pixels * out.channels && count > out.channels;
  NeuronRows r;
  r.stride = each ? cp : 0;
  r.rows.assign(each ? out.pixels * cp : cp, t.as<float>()[0]);  // padding: what some neuron has
  for (size_t p = 0; p < (each ? out.pixels : 1); ++p) {
    for (size_t c = 0; c < out.channels; ++c) {
      r.rows[p * cp + c] = t.as<float>()[count == 1 ? 0 : p * out.channels + c];
    }
  }
  return r;
}

bool all_are(const NeuronRows& r, float value) {
  return std::ranges::all_of(r.rows, [&](float v) { return v == value; });
}

bool is_plain(const RuleNeuron& n) {
  using namespace kernels;
  const NeuronRule& r = n.rule;
  const bool stages = r.synapse == NeuronSynapse::kNone && r.charge == NeuronCharge::kDecay &&
                      (r.fire == NeuronFire::kAtLeast || r.fire == NeuronFire::kAbove) && !r.delayed() &&
                      r.floor == NeuronFloor::kNone && r.refractory == NeuronRefractory::kNone;
  const bool reset = r.reset == NeuronReset::kZero ||
                     (r.reset == NeuronReset::kValue && all_are(n.reset_value, 0)) ||
                     (r.reset == NeuronReset::kSubtract && n.drop.rows == n.threshold.rows);
  return stages && reset && all_are(n.synapse_gain, 1) && all_are(n.bias, 0) && all_are(n.initial, 0);
}

class RuleNeuronStep final : public TiledStep {
 public:
  RuleNeuronStep(RuleNeuron neuron, const NeuronPlace& place, size_t tile)
      : TiledStep(place, tile), neuron_(std::move(neuron)) {}

  [[nodiscard]] size_t lane_bytes() const noexcept override {
    return tile_bytes() + neuron_.currents->lane_bytes(tile_, place_.steps);
  }

  void run(const Frame& f, size_t chunk, std::byte* lane) const noexcept override {
    const Tile tile = tile_of(chunk);
    kernels::NeuronTile k{};
    k.currents_t_stride = fill(f, *neuron_.currents, tile, lane, lane + tile_bytes());
    k.currents = reinterpret_cast<const float*>(lane);
    k.rule = &neuron_.rule;
    const auto values = [&](const NeuronRows& r) {
      return kernels::NeuronValues{r.rows.data() + tile.first * r.stride, r.stride};
    };
    k.rate = values(neuron_.rate);
    k.input_gain = values(neuron_.input_gain);
    k.leak = values(neuron_.leak);
    k.bias = values(neuron_.bias);
    k.synapse_rate = values(neuron_.synapse_rate);
    k.synapse_gain = values(neuron_.synapse_gain);
    k.threshold = values(neuron_.threshold);
    k.reset_value = values(neuron_.reset_value);
    k.drop = values(neuron_.drop);
    k.floor = values(neuron_.floor);
    k.initial = values(neuron_.initial);
    k.v = state_of<float>(f, neuron_.v, tile);
    k.i = state_of<float>(f, neuron_.i, tile);
    k.wait = state_of<float>(f, neuron_.wait, tile);
    k.first = f.steps_before == 0;
    put(f, tile, k);
    kernels::kernels().step_neuron_f32(k);
  }

 private:
  void put(const Frame& f, const Tile& tile, kernels::NeuronTile& k) const noexcept {
    place(f, tile, k);
    size_t element = sizeof(uint64_t);
    if (place_.out.type == ops::EdgeType::kCount) {
      k.counts = place_.out.row<uint16_t>(f, 0, tile.n, tile.first);
      element = sizeof(uint16_t);
    } else if (place_.out.type == ops::EdgeType::kReal) {
      k.values = place_.out.row<float>(f, 0, tile.n, tile.first);
      element = sizeof(float);
    }
    k.out_stride = place_.out.row_bytes / element;
    k.out_t_stride = place_.out.step_bytes() / element;
    if (!place_.record_current) return;
    k.record_current = place_.record_current->row<float>(f, 0, tile.n, tile.first);
    k.record_t_stride = place_.record_current->step_bytes() / sizeof(float);
  }

  RuleNeuron neuron_;
};

}  // namespace

RuleNeuron rule_neuron(const ops::NodeView& node, const Slot& out) {
  RuleNeuron n;
  n.rule = neurons::neuron_rule(node);
  const auto rows = [&](const char* role, const tensor::Tensor* t) {
    const float usual = neurons::default_value(role);
    return t == nullptr ? NeuronRows{std::vector<float>(pad_channels(out.channels), usual), 0}
                        : rows_of(*t, out);
  };
  for (const auto& [role, to] : {std::pair{"rate", &n.rate},
                                 {"input_gain", &n.input_gain},
                                 {"leak", &n.leak},
                                 {"bias", &n.bias},
                                 {"synapse_rate", &n.synapse_rate},
                                 {"synapse_gain", &n.synapse_gain},
                                 {"threshold", &n.threshold},
                                 {"reset_value", &n.reset_value},
                                 {"drop", &n.drop},
                                 {"floor_value", &n.floor},
                                 {"initial", &n.initial}}) {
    *to = rows(role, node.find(role));
  }
  if (node.find("drop") == nullptr) n.drop = n.threshold;
  return n;
}

std::optional<FloatNeuron> plain_neuron(RuleNeuron& n) {
  const float rate = n.rate.rows[0], gain = n.input_gain.rows[0], threshold = n.threshold.rows[0];
  const bool one = all_are(n.rate, rate) && all_are(n.input_gain, gain) && all_are(n.threshold, threshold);
  if (!one || !is_plain(n)) return std::nullopt;
  return FloatNeuron{.currents = std::move(n.currents),
                     .decay = rate,
                     .input_gain = gain,
                     .threshold = threshold,
                     .subtract = n.rule.reset == kernels::NeuronReset::kSubtract,
                     .strict = n.rule.fire == kernels::NeuronFire::kAbove};
}

std::unique_ptr<Step> rule_neuron_step(RuleNeuron neuron, const NeuronPlace& place) {
  const size_t tile = tile_pixels(place, place.out.batch, neuron.currents->good_tile());
  return std::make_unique<RuleNeuronStep>(std::move(neuron), place, tile);
}

}  // namespace snncore::runtime
