#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/align.h"
#include "base/checked.h"
#include "format/model_impl.h"
#include "neurons/psn.h"
#include "ops/infer.h"
#include "ops/work.h"
#include "runtime/attention_synapse.h"
#include "runtime/float_neuron_step.h"
#include "runtime/map_synapse.h"
#include "runtime/move_in_time.h"
#include "runtime/neuron_step.h"
#include "runtime/placing.h"
#include "runtime/program.h"
#include "runtime/psn_step.h"
#include "runtime/residual_step.h"
#include "runtime/saccade_step.h"
#include "runtime/simple_steps.h"
#include "runtime/synapse.h"
#include "runtime/token_steps.h"

namespace snncore::runtime {
namespace {

using graph::Graph;
using kernels::pad_channels;
using ops::Edge;
using ops::EdgeType;
using ops::Node;
using ops::NodeView;

constexpr int64_t kMaxSteps = 4096, kMaxBatch = 1 << 16, kMaxThreads = 256;

// Options checked, and what follows from them alone.
std::shared_ptr<Program::Impl> settle(std::shared_ptr<const Model::Impl> model, const Options& options) {
  auto program = std::make_shared<Program::Impl>();
  program->model = std::move(model);
  program->options = options;
  Options& o = program->options;
  program->recurrent = graph::is_recurrent(program->model->graph);
  if (o.timesteps == 0) o.timesteps = program->model->graph.timesteps;
  if (program->stream()) o.timesteps = 1;
  auto check = [](const char* name, int64_t value, int64_t most) {
    require(
        value >= 1 && value <= most, ErrorCode::kInvalidArgument,
        std::string(name) + " must be 1.." + std::to_string(most) + ", received " + std::to_string(value));
  };
  check("timesteps", o.timesteps, kMaxSteps);
  check("batch", o.batch, kMaxBatch);
  check("threads", o.threads, kMaxThreads);
  program->steps = static_cast<size_t>(o.timesteps);
  program->batch = static_cast<size_t>(o.batch);
  return program;
}

std::vector<int32_t> padded(const tensor::Tensor& t, size_t channels, int32_t filler) {
  const size_t rows = t.bytes / sizeof(int32_t) / channels, cp = pad_channels(channels);
  std::vector<int32_t> out(rows * cp, filler);
  for (size_t r = 0; r < rows; ++r)
    std::copy_n(t.as<int32_t>() + r * channels, channels, out.data() + r * cp);
  return out;
}

Shape user_shape(const Slot& s, const Edge& e) {
  if (!e.is_image()) return e.shape;
  return {static_cast<int64_t>(s.channels), e.shape[0], e.shape[1]};
}

// Makes the steps, with every offset known.
class Planner {
 public:
  explicit Planner(std::shared_ptr<Program::Impl> program)
      : program_(std::move(program)), graph_(program_->model->graph), placing_(graph_, *program_) {}

  std::shared_ptr<const Program::Impl> plan() {
    for (const Node& node : graph_.nodes) program_->nodes.push_back({.name = node.name});
    begin_layer("");
    for (const Placing::Frames& f : placing_.taken()) push(take_frame_step(f.whole, f.frame));
    for (const Node* node : placing_.order()) {
      begin_layer(node->name);
      make_step(*node);
    }
    begin_layer("");
    for (const Node& node : graph_.nodes) remember(node);
    for (const Placing::Frames& f : placing_.kept()) push(keep_frame_step(f.frame, f.whole));
    finish();
    return program_;
  }

 private:
  NodeView view(const Node& node) const { return graph::view(graph_, node); }

  // Where all that a neuron reads and writes is vectors, the samples of a batch are the pixels of one: so a
  // tile shares its weights among them.
  bool joins_samples(const Node& neuron) const {
    if (program_->batch == 1 || neuron.op == "psn" || neuron.op == "neuron") return false;
    const Node* before = graph::producer(graph_, neuron.inputs[0]);
    const auto& read = before != nullptr && before->op == "requant" ? before->inputs : neuron.inputs;
    return placing_.slot(neuron.outputs[0]).pixels == 1 && std::ranges::all_of(read, [&](const auto& edge) {
             const Node* from = placing_.fused(edge) ? graph::producer(graph_, edge) : nullptr;
             if (from != nullptr && from->op != "linear") return false;
             return placing_.slot(from != nullptr ? from->inputs[0] : edge).pixels == 1;
           });
  }
  Slot slot(const std::string& edge, bool joined) const {
    return joined ? placing_.slot(edge).column() : placing_.slot(edge);
  }

  std::unique_ptr<Synapse> synapse(const std::string& edge, bool joined = false) {
    if (!placing_.fused(edge)) return stored_sums(slot(edge, joined));
    const Node& node = *graph::producer(graph_, edge);
    if (is_map(node)) return map_counts(node);
    if (node.op != "attention") return node_synapse(node, joined);
    count_work(node);
    return attention_synapse(placing_.slot(node.inputs[0]), placing_.product(edge));
  }

  std::unique_ptr<Synapse> map_counts(const Node& node) {
    count_work(node);
    const std::vector<Slot> in = slots(node);
    return map_synapse(map_product(view(node)), in[0], in[1], placing_.product(node.outputs[0]));
  }

  std::unique_ptr<Synapse> node_synapse(const Node& node, bool joined = false) {
    count_work(node);
    const NodeView v = view(node);
    const Slot in = slot(node.inputs[0], joined);
    SynapseShape shape = synapse_shape(v, placing_.slot(node.inputs[0]));
    auto weights = program_->model->packed<PackedWeights>(node.name, [&] { return pack_weights(v, shape); });
    held(node).weights += weights->bytes();
    if (joined) shape.window = Window::same(in.pixels);
    return make_synapse(v, shape, in, std::move(weights), placing_.gate(node.outputs[0]));
  }

  void make_step(const Node& node) {
    const std::string& made = node.outputs[0];
    if (node.op == "attention" && placing_.fused(made) && placing_.is_needed(made)) {
      push(keys_values_step(placing_.slot(node.inputs[1]), placing_.slot(node.inputs[2]),
                            placing_.product(made), program_->threads()));
      return;
    }
    if (is_map(node) && placing_.is_needed(made)) {
      const std::vector<Slot> in = slots(node);
      push(map_lanes_step(map_product(view(node)), in[0], in[1], placing_.product(made)));
    }
    if (!placing_.is_made(node) || node.op == "flatten") return;
    if (ops::is_neuron(node.op)) {
      make_neuron(node);
      return;
    }
    const Slot& slot = placing_.slot(node.outputs[0]);
    if (node.op == "residual") {
      make_residual(node, slot);
      return;
    }
    if (node.op == "saccade") {
      make_saccade(view(node), slot);
      return;
    }
    const Slot& in = placing_.slot(node.inputs[0]);
    if (node.op == "delay") {
      make_delay(node, in, slot);
    } else if (node.op == "conv2d" || node.op == "linear") {
      push(sums_step(node_synapse(node), slot, program_->threads()));
    } else if (is_map(node)) {
      push(sums_step(map_counts(node), slot, program_->threads()));
    } else if (node.op == "maxpool2d") {
      push(maxpool_step(pool_window(view(node), in, slot), in, slot));
    } else if (node.op == "avgpool2d") {
      push(avgpool_step(pool_window(view(node), in, slot), in, slot));
    } else if (node.op == "add") {
      make_add(node, slot);
    } else if (node.op == "couple") {
      push(couple_step(slots(node), slot));
    } else if (std::unique_ptr<Step> step = token_step(view(node), slots(node), slot)) {
      count_work(node);
      push(std::move(step));
    } else {
      make_readout(node, in, slot);
    }
  }

  void make_delay(const Node& node, const Slot& in, const Slot& out) {
    const auto steps = static_cast<size_t>(view(node).integer("steps"));
    require(in.pixels == out.pixels, ErrorCode::kUnsupported,
            "delay '" + node.name + "': a flattened image cannot be read back; delay it before flatten");
    if (!program_->keeps_state()) {
      push(shift_step(in, out, steps));
      return;
    }
    rings_[node.name] = {.state_offset = take_state(node, ring_bytes(in, steps)), .steps = steps};
    push(recall_step(rings_.at(node.name), out));
  }

  void remember(const Node& node) {
    if (rings_.contains(node.name)) push(remember_step(placing_.slot(node.inputs[0]), rings_.at(node.name)));
  }

  // Of a node's inputs.
  std::vector<Slot> slots(const Node& node) const {
    std::vector<Slot> inputs;
    for (const std::string& in : node.inputs) inputs.push_back(placing_.slot(in));
    return inputs;
  }

  static Window pool_window(const NodeView& v, const Slot& in, const Slot& out) {
    const auto& kernel = v.integers("kernel", 2);
    const auto& stride = v.integers("stride", 2);
    const auto& pad = v.integers("padding", 4);
    return {.in_h = static_cast<int64_t>(in.height),
            .in_w = static_cast<int64_t>(in.width),
            .out_h = static_cast<int64_t>(out.height),
            .out_w = static_cast<int64_t>(out.width),
            .kernel_h = kernel[0],
            .kernel_w = kernel[1],
            .stride_h = stride[0],
            .stride_w = stride[1],
            .pad_top = pad[0],
            .pad_left = pad[2]};
  }

  void make_add(const Node& node, const Slot& out) {
    std::vector<float> divisors;
    for (const std::string& in : node.inputs)
      divisors.push_back(static_cast<float>(graph_.edges.at(in).divisor));
    push(add_step(slots(node), std::move(divisors), out));
  }

  void make_readout(const Node& node, const Slot& in, const Slot& out) {
    const NodeView v = view(node);
    Readout r;
    const std::string& mode = v.text("mode");
    r.mode = mode == "sum" ? ReadoutMode::kSum : mode == "mean" ? ReadoutMode::kMean : ReadoutMode::kLast;
    r.steps = program_->plan_steps();
    r.pools = graph_.edges.at(node.inputs[0]).is_image();
    if (in.type != EdgeType::kReal) {
      const tensor::Tensor& scale = *v.find("scale");
      const size_t count = out.pixels * out.channels;
      r.scale.resize(count);
      for (size_t i = 0; i < count; ++i) r.scale[i] = scale.as<double>()[scale.shape[0] == 1 ? 0 : i];
      r.bias.assign(v.find("bias")->as<double>(), v.find("bias")->as<double>() + count);
    }
    if (program_->keeps_state()) r.state_offset = take_state(node, readout_state_bytes(in));
    std::optional<Slot> sums;
    if (const Slot* slot = placing_.extra(node.name + ".sum")) sums = *slot;
    push(readout_step(std::move(r), in, out, sums));
  }

  void make_residual(const Node& node, const Slot& out) {
    std::vector<Slot> streams;
    for (const std::string& in : node.inputs) {
      if (graph_.edges.at(in).type == EdgeType::kStream) streams.push_back(placing_.slot(in));
    }
    const NeuronPlace place{.out = out, .steps = out.steps, .threads = program_->threads()};
    push(residual_step(currents(view(node), out.channels), std::move(streams), place));
  }

  void make_saccade(const NodeView& v, const Slot& out) {
    const auto doubles = [&](const char* role) {
      const tensor::Tensor* t = v.find(role);
      if (t == nullptr) return std::vector<double>();
      return std::vector<double>(t->as<double>(), t->as<double>() + t->bytes / sizeof(double));
    };
    Saccade s{.mix = doubles("mix"), .threshold = doubles("threshold")};
    const size_t most = s.threshold.size();
    expect_steps(v, "weighs", most);
    if (v.inputs.size() > 1) s.kappa = placing_.slot(v.node.inputs[1]);
    if (program_->keeps_state()) {
      s.q_state = take_state(v.node, saccade_state_bytes(out, most));
      if (s.kappa) s.kappa_state = take_state(v.node, saccade_state_bytes(*s.kappa, most));
    }
    const std::string& q = v.node.inputs[0];
    if (placing_.fused(q)) {
      push(saccade_step(std::move(s), HeadCounts(slots(*graph::producer(graph_, q)), out.channels), out));
    } else {
      push(saccade_step(std::move(s), placing_.slot(q), out));
    }
  }

  void expect_steps(const NodeView& v, const std::string& does, size_t most) {
    require(program_->steps <= most, ErrorCode::kState,
            v.label() + ": " + does + " " + std::to_string(most) + " steps, asked for " +
                std::to_string(program_->steps));
    limit_steps(most, v.label() + " " + does);
  }

  void limit_steps(size_t most, const std::string& because) {
    if (static_cast<int64_t>(most) >= program_->max_steps) return;
    program_->max_steps = static_cast<int64_t>(most);
    program_->limited_by = because;
  }

  Memory::Node& held(const Node& node) {
    return *std::ranges::find(program_->nodes, node.name, &Memory::Node::name);
  }

  size_t take_state(const Node& node, size_t bytes) {
    const size_t offset = program_->state_bytes, taken = align_up(bytes) + kTailPad;
    (ops::is_neuron(node.op) ? held(node).membranes : held(node).history) += taken;
    program_->state_bytes += taken;
    return offset;
  }

  void make_neuron(const Node& node) {
    const NodeView v = view(node);
    const bool joined = joins_samples(node);
    NeuronPlace place;
    place.out = slot(node.outputs[0], joined);
    place.steps = program_->plan_steps();
    place.threads = program_->threads();
    const auto recorded = [&](const char* what) -> std::optional<Slot> {
      const Slot* slot = placing_.extra(node.name + what);
      if (slot == nullptr) return {};
      return joined ? slot->column() : *slot;
    };
    place.record = recorded(".v");
    place.record_current = recorded(".i");
    if (node.op == "cuba_lif") {
      if (program_->keeps_state()) place.state_offset = take_state(node, neuron_state_bytes(place, 2 * 32));
      push(
          cuba_neuron_step(cuba_neuron(v, place.out.channels), before(v, place.out.channels, joined), place));
      return;
    }
    if (node.op == "neuron") {
      make_rule_neuron(v, place);
      return;
    }
    if (node.op == "psn") {
      make_psn(v, place);
      return;
    }
    if (v.text("arith") == "f32") {
      if (program_->keeps_state()) place.state_offset = take_state(node, neuron_state_bytes(place, 32));
      FloatNeuron n;
      n.currents = synapse(node.inputs[0], joined);
      n.decay = static_cast<float>(v.number("decay"));
      n.input_gain = static_cast<float>(v.number("input_gain"));
      n.threshold = static_cast<float>(v.number("threshold"));
      n.subtract = v.text("reset") == "subtract";
      n.strict = v.flag("strict");
      push(float_neuron_step(std::move(n), place));
      return;
    }
    IntNeuron n = int_neuron(v, place.out.channels);
    if (program_->keeps_state()) {
      place.state_offset = take_state(node, neuron_state_bytes(place, n.state_bits));
      if (n.profile_x_shift) place.age_offset = take_state(node, neuron_age_bytes(place));
    }
    push(int_neuron_step(std::move(n), before(v, place.out.channels, joined), place));
  }

  void make_rule_neuron(const NodeView& v, NeuronPlace place) {
    RuleNeuron n = rule_neuron(v, place.out);
    n.currents = synapse(v.node.inputs[0]);
    if (v.inputs[0]->type == EdgeType::kSum) {
      n.currents = real_sums(std::move(n.currents), place.out.channels);
    }
    const size_t bytes = neuron_state_bytes(place, 32);
    if (std::optional<FloatNeuron> plain = plain_neuron(n)) {
      if (program_->keeps_state()) place.state_offset = take_state(v.node, bytes);
      push(float_neuron_step(std::move(*plain), place));
      return;
    }
    if (program_->keeps_state()) {
      n.v = take_state(v.node, bytes);
      if (n.rule.synapse != kernels::NeuronSynapse::kNone) n.i = take_state(v.node, bytes);
      if (n.rule.refractory != kernels::NeuronRefractory::kNone) n.wait = take_state(v.node, bytes);
    }
    push(rule_neuron_step(std::move(n), place));
  }

  void make_psn(const NodeView& v, NeuronPlace place) {
    const auto floats = [&](const char* role) {
      const tensor::Tensor& t = *v.find(role);
      return std::vector<float>(t.as<float>(), t.as<float>() + t.bytes / sizeof(float));
    };
    PsnNeuron n;
    n.currents = synapse(v.node.inputs[0]);
    n.weights = floats("weight");
    n.bias = floats("bias");
    n.looks_ahead = neurons::looks_ahead(v);
    n.taps = n.looks_ahead ? n.bias.size() : n.weights.size();
    require(!n.looks_ahead || place.steps == n.taps, ErrorCode::kState,
            v.label() + ": weighs all of " + std::to_string(n.taps) + " steps at once" +
                (place.steps == program_->steps ? ", asked for " + std::to_string(place.steps)
                                                : " and cannot run step by step"));
    if (program_->keeps_state()) place.state_offset = take_state(v.node, psn_state_bytes(place, n));
    push(psn_step(std::move(n), place));
  }

  static CubaNeuron cuba_neuron(const NodeView& v, size_t channels) {
    CubaNeuron n;
    n.current_decay = static_cast<int32_t>(v.integer("current_decay"));
    n.decay = static_cast<int32_t>(v.integer("decay"));
    n.input_shift = static_cast<int32_t>(v.integer("input_shift"));
    n.theta = padded(*v.find("theta"), channels, INT32_MAX);
    n.bias = padded(*v.find("bias"), channels, 0);
    return n;
  }

  IntCurrents before(const NodeView& neuron, size_t channels, bool joined) {
    return currents(view(*graph::producer(graph_, neuron.node.inputs[0])), channels, joined);
  }

  // What a requantisation reads, and its constants; not what is added to it as it is.
  IntCurrents currents(const NodeView& q, size_t channels, bool joined = false) {
    IntCurrents n;
    const bool residual = q.node.op == "residual";
    for (size_t j = 0; j < q.inputs.size(); ++j) {
      const std::string index = std::to_string(j), &edge = q.node.inputs[j];
      const bool stream = q.inputs[j]->type == EdgeType::kStream;
      if (residual && stream) continue;
      if (q.inputs[j]->type == EdgeType::kSum || stream) {
        n.sums.push_back({synapse(edge, joined), padded(*q.find("M." + index), channels, 0)});
      } else {
        n.spikes.push_back({slot(edge, joined), padded(*q.find("K." + index), channels, 0)});
      }
    }
    n.c = padded(*q.find("C"), channels, 0);
    n.n = padded(*q.find("n"), channels, 0);
    n.wide = residual || q.flag("wide");
    if (const int64_t steps = ops::factor_steps(q); steps != 0) {
      n.each_step = true;
      expect_steps(q, "has factors for", static_cast<size_t>(steps));
    }
    return n;
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

  static std::vector<int16_t> narrow(const tensor::Tensor* t) {
    if (t == nullptr) return {};
    const auto* values = t->as<int32_t>();
    return {values, values + t->shape[0]};
  }

  // Profile X keeps its integral in 32 bits whatever the file says: with its bound proven, the spikes are the
  // same.
  void set_profile_x(const NodeView& v, IntNeuron& n) {
    n.profile_x_shift = static_cast<int32_t>(v.integer("unit_bits"));
    n.state_bits = 32;
    const int64_t most = v.integer("unit_bits") + 1;
    limit_steps(static_cast<size_t>(most), "a profile X neuron is exact for");
    require(static_cast<int64_t>(program_->steps) <= most, ErrorCode::kState,
            v.label() + ": profile X is exact for " + std::to_string(most) + " steps, asked for " +
                std::to_string(program_->steps));
  }

  void begin_layer(const std::string& name) {
    end_layer();
    program_->layers.push_back({.name = name, .sums = {}});
  }

  // One without steps is none.
  void end_layer() {
    const auto& plan = program_->plan;
    const size_t used = plan.empty() ? 0 : plan.back().layer + 1;
    program_->layers.resize(std::min(used, program_->layers.size()));
  }

  // Sums of a node become part of the layer that is made; what does not change with time is computed once.
  void count_work(const Node& node) {
    const double each = ops::synaptic_operations(view(node), graph_.edges.at(node.outputs[0]));
    if (each == 0) return;
    const bool once = std::ranges::all_of(slots(node), &Slot::is_static);
    const size_t runs = program_->batch * (once ? program_->rounds() : program_->steps);
    Program::Impl::Layer& layer = program_->layers.back();
    layer.sums.push_back(node.name);
    layer.operations += each * static_cast<double>(runs);
  }

  void push(std::unique_ptr<Step> step) {
    program_->lane_bytes = std::max(program_->lane_bytes, align_up(step->lane_bytes()) + kTailPad);
    program_->plan.push_back({std::move(step), program_->layers.size() - 1});
  }

  void finish() {
    end_layer();
    std::erase_if(program_->nodes,
                  [](const Memory::Node& n) { return n.weights + n.membranes + n.history == 0; });
    for (size_t i = 0; i < graph_.inputs.size(); ++i)
      program_->inputs[i].slot = placing_.whole(graph_.inputs[i].edge, placing_.slot(graph_.inputs[i].edge));
    for (const graph::Port& port : graph_.outputs) {
      if (!program_->options.outputs) break;
      program_->outputs.push_back(value(port.name, port.edge, DType::kF32));
      program_->outputs.back().per_step = placing_.per_step(port.edge);
    }
    for (const std::string& name : program_->options.record) program_->records.push_back(record(name));
  }

  Program::Impl::Value value(const std::string& name, const std::string& edge, DType dtype) const {
    const Edge& e = graph_.edges.at(edge);
    const Slot& slot = placing_.whole(edge, placing_.slot(edge));
    return {.name = name,
            .slot = slot,
            .per_step = true,
            .divisor = e.divisor,
            .step_shape = user_shape(slot, e),
            .dtype = dtype};
  }

  Program::Impl::Value record(const std::string& name) const {
    const Slot* extra = placing_.extra(name);
    if (extra == nullptr) {
      return value(name, placing_.recorded_edge(name), name.ends_with(".sum") ? DType::kI32 : DType::kB1);
    }
    Program::Impl::Value v = value(name, placing_.recorded_node(name)->outputs[0], DType::kI64);
    v.slot = placing_.whole(name, *extra);
    if (!name.ends_with(".sum")) {
      v.dtype = v.slot.type == EdgeType::kReal ? DType::kF32 : DType::kI32;
    } else {
      v.per_step = false;
    }
    return v;
  }

  std::shared_ptr<Program::Impl> program_;
  const Graph& graph_;
  const Placing placing_;
  std::map<std::string, Ring> rings_;  // by delay
};

}  // namespace

std::shared_ptr<const Program::Impl> plan_program(std::shared_ptr<const Model::Impl> model,
                                                  const Options& options) {
  return Planner(settle(std::move(model), options)).plan();
}

}  // namespace snncore::runtime
