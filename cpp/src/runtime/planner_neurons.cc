// Neurons with the layers that feed them.
#include <algorithm>
#include <map>
#include <optional>

#include "base/checked.h"
#include "neurons/psn.h"
#include "runtime/float_neuron_step.h"
#include "runtime/planner.h"
#include "runtime/psn_step.h"

namespace snncore::runtime {

using ops::EdgeType;
using ops::Node;
using ops::NodeView;

namespace {

std::vector<int16_t> narrow(const tensor::Tensor* t) {
  if (t == nullptr) return {};
  const auto* values = t->as<int32_t>();
  return {values, values + t->shape[0]};
}

// Profile X keeps its integral in 32 bits whatever the file says: with its bound proven, the spikes are the
// same.
void set_profile_x(const NodeView& v, IntNeuron& n) {
  n.profile_x_shift = static_cast<int32_t>(v.integer("unit_bits"));
  n.state_bits = 32;
}

IntNeuron int_neuron(const NodeView& v, size_t channels) {
  IntNeuron n;
  n.theta = padded(*v.find("theta"), channels, INT32_MAX);
  if (const tensor::Tensor* psi = v.find("psi")) n.psi = padded(*psi, channels, 0);
  static const std::map<std::string, kernels::Leak> leaks = {{"none", kernels::Leak::kNone},
                                                             {"q15", kernels::Leak::kQ15},
                                                             {"half_floor", kernels::Leak::kHalfFloor},
                                                             {"shift", kernels::Leak::kShift},
                                                             {"tz12", kernels::Leak::kTz12}};
  n.leak = leaks.at(v.text("leak"));
  n.leak_param = static_cast<int32_t>(v.integer("leak_param"));
  n.leak_at_store = v.flag("leak_at_store");
  n.state_bits = std::stoi(v.text("state").substr(1));
  if (const tensor::Tensor* gamma = v.find("gamma")) n.gamma = padded(*gamma, channels, INT32_MAX);
  n.load = narrow(v.find("load"));
  n.edges = narrow(v.find("edges"));
  if (!n.load.empty()) {
    n.load.resize(std::max<size_t>(n.load.size(), 16));
    n.code_shift = static_cast<int32_t>(v.integer("unit_bits"));
  }
  if (v.text("profile") == "X") set_profile_x(v, n);
  return n;
}

CubaNeuron cuba_neuron(const NodeView& v, size_t channels) {
  CubaNeuron n;
  n.current_decay = static_cast<int32_t>(v.integer("current_decay"));
  n.decay = static_cast<int32_t>(v.integer("decay"));
  n.input_shift = static_cast<int32_t>(v.integer("input_shift"));
  n.theta = padded(*v.find("theta"), channels, INT32_MAX);
  n.bias = padded(*v.find("bias"), channels, 0);
  return n;
}

PsnNeuron psn_neuron(const NodeView& v) {
  PsnNeuron n;
  n.weights = tensor_values<float>(v, "weight");
  n.bias = tensor_values<float>(v, "bias");
  n.looks_ahead = neurons::looks_ahead(v);
  n.taps = n.looks_ahead ? n.bias.size() : n.weights.size();
  return n;
}

}  // namespace

// Where all that a neuron reads and writes is vectors, the samples of a batch are the pixels of one: so a
// tile shares its weights among them.
bool Planner::joins_samples(const Node& neuron) const {
  if (program_->batch == 1) return false;
  const Node* before = graph::producer(graph_, neuron.inputs[0]);
  const auto& read = before != nullptr && before->op == "requant" ? before->inputs : neuron.inputs;
  return out(neuron).pixels == 1 && std::ranges::all_of(read, [&](const auto& edge) {
           const Node* from = demand_.fused(edge) ? graph::producer(graph_, edge) : nullptr;
           if (from != nullptr && from->op != "linear") return false;
           return placing_.slot(from != nullptr ? from->inputs[0] : edge).pixels == 1;
         });
}

NeuronPlace Planner::neuron_place(const Node& node, bool joined) const {
  const auto recorded = [&](const char* what) -> std::optional<Slot> {
    const Slot* slot = placing_.extra(node.name + what);
    if (slot == nullptr) return {};
    return joined ? slot->column() : *slot;
  };
  NeuronPlace place;
  place.out = slot(node.outputs[0], joined);
  place.steps = program_->plan_steps();
  place.threads = program_->threads();
  place.record = recorded(".v");
  place.record_current = recorded(".i");
  return place;
}

void Planner::make_lif(const Node& node) {
  const NodeView v = view(node);
  const bool joined = joins_samples(node);
  NeuronPlace place = neuron_place(node, joined);
  if (v.text("arith") == "f32") {
    make_float_lif(v, std::move(place), joined);
    return;
  }
  IntNeuron n = int_neuron(v, place.out.channels);
  if (n.profile_x_shift) limit_profile_x(v);
  if (program_->keeps_state()) {
    place.state_offset = take_state(node, neuron_state_bytes(place, n.state_bits));
    if (n.profile_x_shift) {
      place.age_offset = take_state(node, neuron_age_bytes(place));
      program_->kept.rows.push_back({.kind = StateRows::Kind::kAges,
                                     .offset = *place.age_offset,
                                     .rows = 1,
                                     .row_bytes = neuron_age_bytes(place)});
    }
  }
  push(int_neuron_step(std::move(n), before(v, place.out.channels, joined), place));
}

void Planner::make_float_lif(const NodeView& v, NeuronPlace place, bool joined) {
  if (program_->keeps_state()) place.state_offset = take_state(v.node, neuron_state_bytes(place, 32));
  FloatNeuron n;
  n.currents = synapse(v.node.inputs[0], joined);
  n.decay = static_cast<float>(v.number("decay"));
  n.input_gain = static_cast<float>(v.number("input_gain"));
  n.threshold = static_cast<float>(v.number("threshold"));
  n.subtract = v.text("reset") == "subtract";
  n.strict = v.flag("strict");
  push(float_neuron_step(std::move(n), place));
}

void Planner::limit_profile_x(const NodeView& v) {
  const int64_t most = v.integer("unit_bits") + 1;
  limit_steps(static_cast<size_t>(most), "a profile X neuron is exact for");
  require(static_cast<int64_t>(program_->steps) <= most, ErrorCode::kState,
          v.label() + ": profile X is exact for " + std::to_string(most) + " steps, asked for " +
              std::to_string(program_->steps));
}

void Planner::make_cuba_lif(const Node& node) {
  const NodeView v = view(node);
  const bool joined = joins_samples(node);
  NeuronPlace place = neuron_place(node, joined);
  const size_t channels = place.out.channels;
  if (program_->keeps_state()) place.state_offset = take_state(node, neuron_state_bytes(place, 2 * 32));
  push(cuba_neuron_step(cuba_neuron(v, channels), before(v, channels, joined), place));
}

void Planner::make_rule_neuron(const Node& node) {
  const NodeView v = view(node);
  NeuronPlace place = neuron_place(node);
  RuleNeuron n = rule_neuron(v, place.out);
  n.currents = synapse(node.inputs[0]);
  if (v.inputs[0]->type == EdgeType::kSum) n.currents = real_sums(std::move(n.currents), place.out.channels);
  const size_t bytes = neuron_state_bytes(place, 32);
  if (std::optional<FloatNeuron> plain = plain_neuron(n)) {
    if (program_->keeps_state()) place.state_offset = take_state(node, bytes);
    push(float_neuron_step(std::move(*plain), place));
    return;
  }
  if (program_->keeps_state()) {
    n.v = take_state(node, bytes);
    if (n.rule.synapse != kernels::NeuronSynapse::kNone) n.i = take_state(node, bytes);
    if (n.rule.refractory != kernels::NeuronRefractory::kNone) n.wait = take_state(node, bytes);
  }
  push(rule_neuron_step(std::move(n), place));
}

void Planner::make_psn(const Node& node) {
  const NodeView v = view(node);
  NeuronPlace place = neuron_place(node);
  PsnNeuron n = psn_neuron(v);
  n.currents = synapse(node.inputs[0]);
  require(!n.looks_ahead || place.steps == n.taps, ErrorCode::kState,
          v.label() + ": weighs all of " + std::to_string(n.taps) + " steps at once" +
              (place.steps == program_->steps ? ", asked for " + std::to_string(place.steps)
                                              : " and cannot run step by step"));
  if (program_->keeps_state()) place.state_offset = take_state(node, psn_state_bytes(place, n));
  push(psn_step(std::move(n), place));
}

}  // namespace snncore::runtime
