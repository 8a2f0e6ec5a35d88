#include "runtime/placing.h"

#include <algorithm>

#include "base/bits.h"
#include "base/checked.h"
#include "kernels/padding.h"
#include "neurons/neuron.h"
#include "ops/infer.h"
#include "runtime/attention_synapse.h"
#include "runtime/layout.h"
#include "runtime/map_synapse.h"
#include "runtime/token_steps.h"

namespace snncore::runtime {

using kernels::pad_channels;
using ops::Edge;
using ops::EdgeType;
using ops::Node;

namespace {

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

}  // namespace

Placing::Placing(const graph::Graph& graph, const Demand& demand, Program::Impl& program)
    : graph_(graph),
      demand_(demand),
      program_(program),
      steps_(program.plan_steps()),
      stepwise_(program.stepwise()) {
  place_inputs();
  for (const Node* node : demand.order()) place_node(*node);
  place_results();
  program_.scratch_bytes = arena_.place();
  for (auto* placed_values : {&slots_, &extra_, &whole_}) {
    for (auto& [name, placed] : *placed_values) placed.slot.offset = arena_.offset(placed.id);
  }
}

const Slot* Placing::extra(const std::string& record) const {
  const auto found = extra_.find(record);
  return found == extra_.end() ? nullptr : &found->second.slot;
}

const Slot& Placing::whole(const std::string& name, const Slot& frame) const {
  const auto found = whole_.find(name);
  return found == whole_.end() ? frame : found->second.slot;
}

std::vector<Placing::Frames> Placing::taken() const {
  std::vector<Frames> all;
  for (const graph::Port& port : graph_.inputs) {
    const auto found = whole_.find(port.edge);
    if (found != whole_.end()) all.push_back({slot(port.edge), found->second.slot});
  }
  return all;
}

std::vector<Placing::Frames> Placing::kept() const {
  std::vector<Frames> all;
  for (const auto& [name, placed] : whole_) {
    const bool input = std::ranges::count(graph_.inputs, name, &graph::Port::edge) > 0;
    if (!input) all.push_back({extra_.contains(name) ? extra_.at(name).slot : slot(name), placed.slot});
  }
  return all;
}

Slot Placing::new_slot(const Edge& edge, EdgeType type, size_t steps) const {
  Slot s;
  s.type = type;
  s.channels = static_cast<size_t>(edge.channels());
  s.pixels = static_cast<size_t>(edge.pixels());
  s.height = edge.is_image() ? static_cast<size_t>(edge.shape[0]) : 1;
  s.width = edge.is_image() ? static_cast<size_t>(edge.shape[1]) : 1;
  s.batch = program_.batch;
  s.steps = steps;
  s.row_bytes = row_bytes(s);
  int64_t bytes =
      checked_mul(static_cast<int64_t>(s.row_bytes), static_cast<int64_t>(s.pixels), "activation");
  bytes = checked_mul(bytes, static_cast<int64_t>(s.batch), "activation");
  checked_mul(bytes, static_cast<int64_t>(std::max<size_t>(s.steps, 1)), "activation");
  return s;
}

// A vector that comes from a flattened image keeps the rows of the image.
Slot Placing::slot_like(const Slot& in, const Edge& edge, EdgeType type, size_t steps) const {
  Slot s = new_slot(edge, type, steps);
  if (edge.is_image() || in.pixels == 1) return s;
  s.pixels = in.pixels;
  s.channels = in.channels;
  s.height = in.height;
  s.width = in.width;
  s.row_bytes = row_bytes(s);
  return s;
}

Placing::Placed& Placing::place(std::map<std::string, Placed>& where, const std::string& name,
                                const Slot& slot) {
  return where[name] = {slot, arena_.add(slot.bytes(), now_, now_)};
}

void Placing::place_inputs() {
  const std::string& wanted = program_.options.layout;
  for (const graph::Port& port : graph_.inputs) {
    const Edge& edge = graph_.edges.at(port.edge);
    Program::Impl::Input in;
    in.name = "input '" + port.name + "'";
    in.layout = wanted.empty() ? port.layout : wanted;
    in.edge = edge;
    bool frames = check_layout(in.layout, edge.is_image(), in.name);
    require(in.layout.find('N') != std::string::npos || program_.batch == 1, ErrorCode::kInvalidArgument,
            in.name + ": layout '" + in.layout + "' has no N, but the batch is " +
                std::to_string(program_.batch));
    in.repeat = !frames;
    place(slots_, port.edge, new_slot(edge, edge.type, in.repeat ? 1 : steps_));
    if (frames) place_whole(port.edge, slots_.at(port.edge).slot);
    program_.inputs.push_back(std::move(in));
  }
}

// The frames of all steps, of a value that the plan holds for one.
void Placing::place_whole(const std::string& name, Slot slot) {
  if (!stepwise_ || whole_.contains(name)) return;
  slot.steps = program_.steps;
  checked_mul(static_cast<int64_t>(slot.step_bytes()), static_cast<int64_t>(slot.steps), "activation");
  whole_[name] = {slot, arena_.add(slot.bytes(), 0, 0)};
}

// Marks a read in the current step.
const Slot& Placing::read(const std::string& edge) {
  const Placed& p = slots_.at(edge);
  arena_.extend(p.id, now_);
  return p.slot;
}

// A read of whatever a fused sum reads.
const Slot& Placing::read_through(const std::string& edge) {
  if (!demand_.fused(edge)) return read(edge);
  const Node& node = *graph::producer(graph_, edge);
  if (const auto product = extra_.find(edge + kProduct); product != extra_.end()) {
    arena_.extend(product->second.id, now_);
  }
  if ((is_map(node) || is_head_count(node)) && node.inputs.size() > 1) read(node.inputs[1]);
  return read(node.inputs[0]);
}

bool Placing::all_static(const Node& node) const {
  return std::ranges::all_of(node.inputs,
                             [&](const std::string& in) { return slots_.at(in).slot.is_static(); });
}

void Placing::place_node(const Node& node) {
  const std::string& out = node.outputs[0];
  const Edge& edge = graph_.edges.at(out);
  if (demand_.is_needed(out)) place_product(node);
  if (!demand_.is_made(node)) return;
  ++now_;
  if (node.op == "flatten") {
    read(node.inputs[0]);
    slots_[out] = slots_.at(node.inputs[0]);
    return;
  }
  if (ops::is_neuron(node.op)) {
    place_neuron(node, edge);
    return;
  }
  if (node.op == "delay") {
    place_delay(node, edge);
    return;
  }
  if (node.op == "residual") {
    place_residual(node, edge);
    return;
  }
  if (node.op == "saccade") {  // of what does not change, too, each step has its own
    const Slot in = read_through(node.inputs[0]);
    if (node.inputs.size() > 1) read(node.inputs[1]);
    place(slots_, out, slot_like(in, edge, edge.type, steps_));
    return;
  }
  const Slot in = read(node.inputs[0]);
  for (const std::string& other : node.inputs) {
    const Slot& slot = read(other);
    const bool adds = node.op == "add" || node.op == "couple";
    require(!adds || (slot.pixels == in.pixels && slot.channels == in.channels), ErrorCode::kUnsupported,
            node.op + " '" + node.name + "': cannot add a flattened image and a vector");
  }
  if (is_map(node)) arena_.extend(extra_.at(out + kProduct).id, now_);
  const size_t steps = node.op == "readout" || all_static(node) ? 1 : steps_;
  const bool pooled = node.op == "readout" && graph_.edges.at(node.inputs[0]).is_image();
  const bool dense = node.op == "conv2d" || node.op == "linear" || pooled;
  place(slots_, out, dense ? new_slot(edge, edge.type, steps) : slot_like(in, edge, edge.type, steps));
  if (node.op == "readout" && in.type != EdgeType::kReal && demand_.recorded(node.name + ".sum")) {
    Slot sums = pooled ? new_slot(edge, EdgeType::kSum, 1) : slot_like(in, edge, EdgeType::kSum, 1);
    sums.row_bytes = pad_channels(sums.channels) * sizeof(int64_t);
    place(extra_, node.name + ".sum", sums);
  }
}

void Placing::place_neuron(const Node& node, const Edge& edge) {
  const Node* before = graph::producer(graph_, node.inputs[0]);
  const EdgeType type = graph_.edges.at(node.inputs[0]).type;
  const bool real = type == EdgeType::kReal || type == EdgeType::kSum;  // else behind a requant
  Slot like = new_slot(edge, EdgeType::kSpike, 1);
  for (const std::string& in : real ? node.inputs : before->inputs) {
    read_through(in);
    if (demand_.fused(in)) continue;
    const Slot& stored = slots_.at(in).slot;
    require(real || stored.pixels == like.pixels, ErrorCode::kUnsupported,
            node.op + " '" + node.name + "': a flattened image cannot enter a requant");
    if (real) like = stored;
  }
  place(slots_, node.outputs[0], slot_like(like, edge, edge.type, steps_));
  const EdgeType state = real ? EdgeType::kReal : EdgeType::kCurrent;
  for (const char* suffix : {".v", ".i"}) {
    const std::string name = node.name + suffix;
    const bool kept = suffix[1] == 'v' || neurons::has_current(node);
    if (kept && demand_.recorded(name)) place(extra_, name, slot_like(like, edge, state, steps_));
  }
}

// Of what is made before the tiles of a sum.
void Placing::place_product(const Node& node) {
  const ops::NodeView view = graph::view(graph_, node);
  const std::string name = node.outputs[0] + kProduct;
  if (is_map(node)) {
    ++now_;
    const Slot first = read(node.inputs[0]), second = read(node.inputs[1]);
    place(extra_, name, map_lanes_slot(map_product(view), first, second));
  } else if (node.op == "attention" && demand_.fused(node.outputs[0])) {
    ++now_;
    const Slot k = read(node.inputs[1]), v = read(node.inputs[2]);
    place(extra_, name, keys_values_slot(view, k, v));
  }
}

// A stream that nothing in time has entered is one frame.
void Placing::place_residual(const Node& node, const Edge& edge) {
  Slot slot = new_slot(edge, edge.type, 1);
  bool still = ops::factor_steps(graph::view(graph_, node)) == 0;
  for (const std::string& in : node.inputs) {
    still &= read_through(in).is_static();
    if (const Slot* products = extra(in + kProduct)) still &= products->is_static();
    require(demand_.fused(in) || slots_.at(in).slot.pixels == slot.pixels, ErrorCode::kUnsupported,
            "residual '" + node.name + "': a flattened image cannot enter a stream");
  }
  place(slots_, node.outputs[0], new_slot(edge, edge.type, still ? 1 : steps_));
}

// What a delay reads back has no slot yet; it gets one of the same form, or `remember` refuses it.
void Placing::place_delay(const Node& node, const Edge& edge) {
  const bool back = graph::reads_back(graph_, node);
  const Slot slot =
      back ? new_slot(edge, edge.type, steps_) : slot_like(read(node.inputs[0]), edge, edge.type, steps_);
  place(slots_, node.outputs[0], slot);
}

// What is read after the run lives to its end; so does, where a plan is executed for each step, what enters
// and leaves the run, and what a delay remembers. In a stream, events are written into an input that nothing
// else may touch.
void Placing::place_results() {
  ++now_;
  if (program_.options.outputs) {
    const std::set<std::string> totals = graph::totals(graph_);
    for (const graph::Port& port : graph_.outputs) {
      if (!totals.contains(port.edge)) place_whole(port.edge, slots_.at(port.edge).slot);
      read(port.edge);
    }
  }
  for (const std::string& name : program_.options.record) {
    if (extra_.contains(name)) {
      if (!name.ends_with(".sum")) place_whole(name, extra_.at(name).slot);
      arena_.extend(extra_.at(name).id, now_);
    } else {
      const std::string edge = demand_.recorded_edge(name);
      place_whole(edge, slots_.at(edge).slot);
      read(edge);
    }
  }
  for (const auto& [name, placed] : whole_) arena_.extend(placed.id, now_);
  for (const Node& node : graph_.nodes) {
    if (node.op == "delay" && demand_.is_needed(node.outputs[0]) && program_.keeps_state())
      read(node.inputs[0]);
  }
  for (const graph::Port& port : graph_.inputs) {
    if (stepwise_ || program_.stream()) read(port.edge);
  }
}

}  // namespace snncore::runtime
