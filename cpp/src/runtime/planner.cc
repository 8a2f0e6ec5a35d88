#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"
#include "format/model_impl.h"
#include "runtime/arena.h"
#include "runtime/layout.h"
#include "runtime/neuron_step.h"
#include "runtime/program.h"
#include "runtime/simple_steps.h"
#include "runtime/synapse.h"

namespace snncore::runtime {
namespace {

using graph::Graph;
using kernels::pad_channels;
using ops::Edge;
using ops::EdgeType;
using ops::Node;
using ops::NodeView;

constexpr int64_t kMaxSteps = 4096, kMaxBatch = 1 << 16, kMaxThreads = 256;

size_t row_bytes(const Slot& s) noexcept {
  switch (s.type) {
    case EdgeType::kSpike:
      return words_for(s.channels) * 8;
    case EdgeType::kCount:
      return s.channels * sizeof(uint16_t);
    case EdgeType::kPixel:
      return s.channels;
    default:
      return pad_channels(s.channels) * 4;
  }
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

// Walks the graph once to lay out memory, and again, with every offset known, to make the steps.
class Planner {
 public:
  Planner(std::shared_ptr<const Model::Impl> model, const Options& options)
      : program_(std::make_shared<Program::Impl>()), graph_(model->graph) {
    program_->model = std::move(model);
    program_->options = options;
  }

  std::shared_ptr<const Program::Impl> plan() {
    check_options();
    count_uses();
    find_needed();
    place_inputs();
    for (const Node& node : graph_.nodes) place_node(node);
    place_results();
    program_->scratch_bytes = arena_.place();
    for (auto& [name, placed] : slots_) placed.slot.offset = arena_.offset(placed.id);
    for (auto& [name, placed] : extra_) placed.slot.offset = arena_.offset(placed.id);
    for (const Node& node : graph_.nodes) make_step(node);
    finish();
    return program_;
  }

 private:
  struct Placed {
    Slot slot;
    size_t id = 0;  // in the arena; a flattened edge shares its input's
  };

  [[nodiscard]] bool stream() const noexcept { return program_->options.mode == Mode::kStream; }

  void check_options() {
    Options& o = program_->options;
    if (o.timesteps == 0) o.timesteps = graph_.timesteps;
    if (stream()) o.timesteps = 1;
    auto check = [](const char* name, int64_t value, int64_t most) {
      require(
          value >= 1 && value <= most, ErrorCode::kInvalidArgument,
          std::string(name) + " must be 1.." + std::to_string(most) + ", received " + std::to_string(value));
    };
    check("timesteps", o.timesteps, kMaxSteps);
    check("batch", o.batch, kMaxBatch);
    check("threads", o.threads, kMaxThreads);
    program_->steps = static_cast<size_t>(o.timesteps);
    program_->batch = static_cast<size_t>(o.batch);
  }

  void count_uses() {
    for (const Node& node : graph_.nodes) {
      for (const std::string& in : node.inputs) ++uses_[in];
    }
    if (program_->options.outputs) {
      for (const auto& port : graph_.outputs) kept_.insert(port.edge);
    }
    for (const std::string& name : program_->options.record) {
      if (const Node* node = recorded_node(name)) kept_.insert(node->outputs[0]);
    }
  }

  // What no output and no record depends on is not planned. Nodes are in an order in which they can run.
  void find_needed() {
    needed_ = kept_;
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (needed_.contains(node->outputs[0])) needed_.insert(node->inputs.begin(), node->inputs.end());
    }
  }

  // The node that a record name speaks of: "<node>", "<node>.v", "<node>.sum"; null when there is none.
  [[nodiscard]] const Node* recorded_node(const std::string& name) const {
    const bool suffix = name.ends_with(".v") || name.ends_with(".sum");
    const std::string node = suffix ? name.substr(0, name.rfind('.')) : name;
    const auto found = std::ranges::find(graph_.nodes, node, &Node::name);
    return found == graph_.nodes.end() ? nullptr : &*found;
  }

  // A sum that one neuron alone reads never reaches memory.
  [[nodiscard]] bool fused(const std::string& edge) const {
    const Node* node = graph::producer(graph_, edge);
    if (node == nullptr || (node->op != "conv2d" && node->op != "linear")) return false;
    const auto uses = uses_.find(edge);
    if (kept_.contains(edge) || uses == uses_.end() || uses->second != 1) return false;
    const Node& reader = *std::ranges::find_if(
        graph_.nodes, [&](const Node& n) { return std::ranges::count(n.inputs, edge) > 0; });
    return reader.op == "requant" || reader.op == "lif" || reader.op == "if";
  }

  Slot new_slot(const Edge& edge, EdgeType type, size_t steps) const {
    Slot s;
    s.type = type;
    s.channels = static_cast<size_t>(edge.channels());
    s.pixels = static_cast<size_t>(edge.pixels());
    s.height = edge.is_image() ? static_cast<size_t>(edge.shape[0]) : 1;
    s.width = edge.is_image() ? static_cast<size_t>(edge.shape[1]) : 1;
    s.batch = program_->batch;
    s.steps = steps;
    s.row_bytes = row_bytes(s);
    int64_t bytes =
        checked_mul(static_cast<int64_t>(s.row_bytes), static_cast<int64_t>(s.pixels), "activation");
    bytes = checked_mul(bytes, static_cast<int64_t>(s.batch), "activation");
    checked_mul(bytes, static_cast<int64_t>(std::max<size_t>(s.steps, 1)), "activation");
    return s;
  }

  // A vector that comes from a flattened image keeps the rows of the image.
  Slot slot_like(const Slot& in, const Edge& edge, EdgeType type, size_t steps) const {
    Slot s = new_slot(edge, type, steps);
    if (edge.is_image() || in.pixels == 1) return s;
    s.pixels = in.pixels;
    s.channels = in.channels;
    s.height = in.height;
    s.width = in.width;
    s.row_bytes = row_bytes(s);
    return s;
  }

  Placed& place(std::map<std::string, Placed>& where, const std::string& name, const Slot& slot) {
    return where[name] = {slot, arena_.add(slot.bytes(), now_, now_)};
  }

  void place_inputs() {
    const std::string& wanted = program_->options.layout;
    for (const graph::Port& port : graph_.inputs) {
      const Edge& edge = graph_.edges.at(port.edge);
      Program::Impl::Input in;
      in.name = "input '" + port.name + "'";
      in.layout = wanted.empty() ? port.layout : wanted;
      in.edge = edge;
      bool frames = check_layout(in.layout, edge.is_image(), in.name);
      require(in.layout.find('N') != std::string::npos || program_->batch == 1, ErrorCode::kInvalidArgument,
              in.name + ": layout '" + in.layout + "' has no N, but the batch is " +
                  std::to_string(program_->batch));
      in.repeat = !frames;
      place(slots_, port.edge, new_slot(edge, edge.type, in.repeat ? 1 : program_->steps));
      program_->inputs.push_back(std::move(in));
    }
  }

  // Marks a read in the current step.
  const Slot& read(const std::string& edge) {
    const Placed& p = slots_.at(edge);
    arena_.extend(p.id, now_);
    return p.slot;
  }

  // A read of whatever a fused sum reads.
  void read_through(const std::string& edge) {
    read(fused(edge) ? graph::producer(graph_, edge)->inputs[0] : edge);
  }

  [[nodiscard]] bool all_static(const Node& node) const {
    return std::ranges::all_of(node.inputs,
                               [&](const std::string& in) { return slots_.at(in).slot.is_static(); });
  }

  void place_node(const Node& node) {
    const std::string& out = node.outputs[0];
    const Edge& edge = graph_.edges.at(out);
    if (node.op == "requant" || fused(out) || !needed_.contains(out)) return;
    ++now_;
    if (node.op == "flatten") {
      read(node.inputs[0]);
      slots_[out] = slots_.at(node.inputs[0]);
      return;
    }
    if (node.op == "lif" || node.op == "if") {
      place_neuron(node, edge);
      return;
    }
    const Slot in = read(node.inputs[0]);
    for (const std::string& other : node.inputs) {
      const Slot& slot = read(other);
      require(node.op != "add" || (slot.pixels == in.pixels && slot.channels == in.channels),
              ErrorCode::kUnsupported, "add '" + node.name + "': cannot add a flattened image and a vector");
    }
    const size_t steps = node.op == "readout" || all_static(node) ? 1 : program_->steps;
    const bool dense = node.op == "conv2d" || node.op == "linear";
    place(slots_, out, dense ? new_slot(edge, edge.type, steps) : slot_like(in, edge, edge.type, steps));
    if (node.op == "readout" && in.type != EdgeType::kReal && recorded(node.name + ".sum")) {
      Slot sums = slot_like(in, edge, EdgeType::kSum, 1);
      sums.row_bytes = pad_channels(sums.channels) * sizeof(int64_t);
      place(extra_, node.name + ".sum", sums);
    }
  }

  void place_neuron(const Node& node, const Edge& edge) {
    const Node* before = graph::producer(graph_, node.inputs[0]);
    const bool real = graph_.edges.at(node.inputs[0]).type == EdgeType::kReal;
    Slot like = new_slot(edge, EdgeType::kSpike, 1);
    for (const std::string& in : real ? node.inputs : before->inputs) {
      read_through(in);
      if (fused(in)) continue;
      const Slot& stored = slots_.at(in).slot;
      require(real || stored.pixels == like.pixels, ErrorCode::kUnsupported,
              node.op + " '" + node.name + "': a flattened image cannot enter a requant");
      if (real) like = stored;
    }
    place(slots_, node.outputs[0], slot_like(like, edge, EdgeType::kSpike, program_->steps));
    if (!recorded(node.name + ".v")) return;
    place(extra_, node.name + ".v",
          slot_like(like, edge, real ? EdgeType::kReal : EdgeType::kCurrent, program_->steps));
  }

  [[nodiscard]] bool recorded(const std::string& name) const {
    return std::ranges::count(program_->options.record, name) > 0;
  }

  // What is read after the run lives to its end.
  void place_results() {
    ++now_;
    if (program_->options.outputs) {
      for (const graph::Port& port : graph_.outputs) read(port.edge);
    }
    for (const std::string& name : program_->options.record) {
      if (extra_.contains(name)) {
        arena_.extend(extra_.at(name).id, now_);
      } else {
        read(recorded_edge(name));
      }
    }
  }

  std::string recorded_edge(const std::string& name) const {
    const Node* node = recorded_node(name);
    const bool neuron = node != nullptr && (node->op == "lif" || node->op == "if");
    const bool sums = node != nullptr && graph_.edges.at(node->outputs[0]).type == EdgeType::kSum;
    require(name.ends_with(".sum") ? sums : neuron, ErrorCode::kInvalidArgument,
            "record '" + name +
                "': expected '<neuron>', '<neuron>.v', '<conv or linear>.sum' or '<readout>.sum' of an "
                "integer readout");
    return node->outputs[0];
  }

  NodeView view(const Node& node) const { return graph::view(graph_, node); }

  std::unique_ptr<Synapse> synapse(const std::string& edge) {
    if (!fused(edge)) return stored_sums(slots_.at(edge).slot);
    return node_synapse(*graph::producer(graph_, edge));
  }

  std::unique_ptr<Synapse> node_synapse(const Node& node) {
    const NodeView v = view(node);
    const Slot& in = slots_.at(node.inputs[0]).slot;
    const SynapseShape shape = synapse_shape(v, in);
    auto weights = program_->model->packed<PackedWeights>(node.name, [&] { return pack_weights(v, shape); });
    program_->weight_bytes += weights->bytes();
    return make_synapse(v, shape, in, std::move(weights));
  }

  void make_step(const Node& node) {
    const std::string& out = node.outputs[0];
    if (node.op == "requant" || node.op == "flatten" || fused(out) || !needed_.contains(out)) return;
    if (node.op == "lif" || node.op == "if") {
      make_neuron(node);
      return;
    }
    const Slot& slot = slots_.at(out).slot;
    const Slot& in = slots_.at(node.inputs[0]).slot;
    if (node.op == "conv2d" || node.op == "linear") {
      push(sums_step(node_synapse(node), slot));
    } else if (node.op == "maxpool2d") {
      push(maxpool_step(pool_window(view(node), in, slot), in, slot));
    } else if (node.op == "avgpool2d") {
      push(avgpool_step(pool_window(view(node), in, slot), in, slot));
    } else if (node.op == "add") {
      make_add(node, slot);
    } else {
      make_readout(node, in, slot);
    }
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
    std::vector<Slot> inputs;
    std::vector<float> divisors;
    for (const std::string& in : node.inputs) {
      inputs.push_back(slots_.at(in).slot);
      divisors.push_back(static_cast<float>(graph_.edges.at(in).divisor));
    }
    push(add_step(std::move(inputs), std::move(divisors), out));
  }

  void make_readout(const Node& node, const Slot& in, const Slot& out) {
    const NodeView v = view(node);
    Readout r;
    const std::string& mode = v.text("mode");
    r.mode = mode == "sum" ? ReadoutMode::kSum : mode == "mean" ? ReadoutMode::kMean : ReadoutMode::kLast;
    r.steps = program_->steps;
    if (in.type != EdgeType::kReal) {
      const tensor::Tensor& scale = *v.find("scale");
      const size_t count = out.pixels * out.channels;
      r.scale.resize(count);
      for (size_t i = 0; i < count; ++i) r.scale[i] = scale.as<double>()[scale.shape[0] == 1 ? 0 : i];
      r.bias.assign(v.find("bias")->as<double>(), v.find("bias")->as<double>() + count);
    }
    if (stream()) r.state_offset = take_state(readout_state_bytes(in));
    std::optional<Slot> sums;
    if (extra_.contains(node.name + ".sum")) sums = extra_.at(node.name + ".sum").slot;
    push(readout_step(std::move(r), in, out, sums));
  }

  size_t take_state(size_t bytes) {
    const size_t offset = program_->state_bytes;
    program_->state_bytes += align_up(bytes) + kTailPad;
    return offset;
  }

  void make_neuron(const Node& node) {
    const NodeView v = view(node);
    NeuronPlace place;
    place.out = slots_.at(node.outputs[0]).slot;
    place.steps = program_->steps;
    if (extra_.contains(node.name + ".v")) place.record = extra_.at(node.name + ".v").slot;
    if (v.text("arith") == "f32") {
      if (stream()) place.state_offset = take_state(neuron_state_bytes(place, 32));
      FloatNeuron n;
      n.currents = synapse(node.inputs[0]);
      n.decay = static_cast<float>(v.number("decay"));
      n.input_gain = static_cast<float>(v.number("input_gain"));
      n.threshold = static_cast<float>(v.number("threshold"));
      n.subtract = v.text("reset") == "subtract";
      n.strict = v.flag("strict");
      push(float_neuron_step(std::move(n), place));
      return;
    }
    IntNeuron n = int_neuron(v, place.out.channels);
    if (stream()) {
      place.state_offset = take_state(neuron_state_bytes(place, n.state_bits));
      if (n.profile_x_shift) place.age_offset = take_state(neuron_age_bytes(place));
    }
    push(int_neuron_step(std::move(n), place));
  }

  IntNeuron int_neuron(const NodeView& v, size_t channels) {
    IntNeuron n;
    const NodeView q = view(*graph::producer(graph_, v.node.inputs[0]));
    for (size_t j = 0; j < q.inputs.size(); ++j) {
      const std::string index = std::to_string(j), &edge = q.node.inputs[j];
      if (q.inputs[j]->type == EdgeType::kSum) {
        n.sums.push_back({synapse(edge), padded(*q.find("M." + index), channels, 0)});
      } else {
        n.spikes.push_back({slots_.at(edge).slot, padded(*q.find("K." + index), channels, 0)});
      }
    }
    n.c = padded(*q.find("C"), channels, 0);
    n.n = padded(*q.find("n"), channels, 0);
    n.wide = q.flag("wide");
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
    const std::string& state = v.text("state");
    n.state_bits = state == "i8" ? 8 : state == "i16" ? 16 : 32;
    if (v.text("profile") == "X") set_profile_x(v, n);
    return n;
  }

  // Profile X keeps its integral in 32 bits whatever the file says: with its bound proven, the spikes are the
  // same.
  void set_profile_x(const NodeView& v, IntNeuron& n) {
    n.profile_x_shift = static_cast<int32_t>(v.integer("unit_bits"));
    n.state_bits = 32;
    const int64_t most = v.integer("unit_bits") + 1;
    program_->max_steps = std::min(program_->max_steps, most);
    require(static_cast<int64_t>(program_->steps) <= most, ErrorCode::kState,
            v.label() + ": profile X is exact for " + std::to_string(most) + " steps, asked for " +
                std::to_string(program_->steps));
  }

  void push(std::unique_ptr<Step> step) {
    program_->lane_bytes = std::max(program_->lane_bytes, align_up(step->lane_bytes()) + kTailPad);
    program_->plan.push_back(std::move(step));
  }

  void finish() {
    for (size_t i = 0; i < graph_.inputs.size(); ++i)
      program_->inputs[i].slot = slots_.at(graph_.inputs[i].edge).slot;
    for (const graph::Port& port : graph_.outputs) {
      if (!program_->options.outputs) break;
      const Node* node = graph::producer(graph_, port.edge);
      program_->outputs.push_back(value(port.name, port.edge, DType::kF32));
      program_->outputs.back().per_step = node == nullptr || node->op != "readout";
    }
    for (const std::string& name : program_->options.record) program_->records.push_back(record(name));
  }

  Program::Impl::Value value(const std::string& name, const std::string& edge, DType dtype) const {
    const Edge& e = graph_.edges.at(edge);
    const Slot& slot = slots_.at(edge).slot;
    return {.name = name,
            .slot = slot,
            .per_step = true,
            .divisor = e.divisor,
            .step_shape = user_shape(slot, e),
            .dtype = dtype};
  }

  Program::Impl::Value record(const std::string& name) const {
    if (!extra_.contains(name)) {
      return value(name, recorded_edge(name), name.ends_with(".sum") ? DType::kI32 : DType::kB1);
    }
    Program::Impl::Value v = value(name, recorded_node(name)->outputs[0], DType::kI64);
    v.slot = extra_.at(name).slot;
    if (name.ends_with(".v")) {
      v.dtype = v.slot.type == EdgeType::kReal ? DType::kF32 : DType::kI32;
    } else {
      v.per_step = false;
    }
    return v;
  }

  std::shared_ptr<Program::Impl> program_;
  const Graph& graph_;
  std::map<std::string, Placed> slots_;  // by edge
  std::map<std::string, Placed> extra_;  // by record name: "<neuron>.v", "<readout>.sum"
  std::map<std::string, int> uses_;
  std::set<std::string> kept_;    // edges that are read after the run
  std::set<std::string> needed_;  // those, and all that they depend on
  ArenaPlan arena_;
  size_t now_ = 0;
};

}  // namespace

std::shared_ptr<const Program::Impl> plan_program(std::shared_ptr<const Model::Impl> model,
                                                  const Options& options) {
  return Planner(std::move(model), options).plan();
}

}  // namespace snncore::runtime
