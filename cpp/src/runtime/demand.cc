#include "runtime/demand.h"

#include <algorithm>

#include "base/checked.h"
#include "neurons/neuron.h"
#include "runtime/attention_synapse.h"
#include "runtime/map_synapse.h"
#include "runtime/token_steps.h"

namespace snncore::runtime {

using ops::EdgeType;
using ops::Node;

Demand::Demand(const graph::Graph& graph, const Options& options, bool keeps_state)
    : graph_(graph), options_(options), keeps_state_(keeps_state) {
  count_uses();
  find_needed();
  find_gates();
  put_in_order();
}

const std::string* Demand::gate(const std::string& sum) const {
  const auto found = gates_.find(sum);
  return found == gates_.end() ? nullptr : &found->second;
}

void Demand::count_uses() {
  for (const Node& node : graph_.nodes) {
    for (const std::string& in : node.inputs) ++uses_[in];
  }
  if (options_.outputs) {
    for (const auto& port : graph_.outputs) ends_.insert(port.edge);
  }
  for (const std::string& name : options_.record) {
    if (const Node* node = recorded_node(name)) ends_.insert(node->outputs[0]);
  }
}

// What no output and no record depends on is not planned. Once through the nodes is enough unless a delay
// reads back.
void Demand::find_needed() {
  needed_ = ends_;
  for (size_t before = 0; before != needed_.size();) {
    before = needed_.size();
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (needed_.contains(node->outputs[0])) needed_.insert(node->inputs.begin(), node->inputs.end());
    }
  }
}

bool Demand::fused(const std::string& edge) const {
  const Node* node = graph::producer(graph_, edge);
  if (node == nullptr) return false;
  const bool counts = is_head_count(*node);
  const bool tiles = node->op == "conv2d" || node->op == "linear" || is_map(*node);
  if (!tiles && !counts && (node->op != "attention" || !takes_keys_first(graph::view(graph_, *node)))) {
    return false;
  }
  const auto uses = uses_.find(edge);
  if (ends_.contains(edge) || uses == uses_.end() || uses->second != 1) return false;
  const Node& reader = *std::ranges::find_if(
      graph_.nodes, [&](const Node& n) { return std::ranges::count(n.inputs, edge) > 0; });
  if (counts) return reader.op == "saccade" && reader.inputs[0] == edge;
  return reader.op == "requant" || reader.op == "residual" || ops::is_neuron(reader.op);
}

bool Demand::is_made(const Node& node) const {
  const std::string& out = node.outputs[0];
  return node.op != "requant" && !fused(out) && needed_.contains(out);
}

// The neuron whose spikes nobody sees but through a mask made by a gate of the same patches. In a stream the
// gate may fire later, so every step needs its membranes.
const Node* Demand::hidden(const Node& mask) const {
  if (mask.op != "mask" || keeps_state_ || !needed_.contains(mask.outputs[0])) return nullptr;
  const std::string &spikes = mask.inputs[0], &gate = mask.inputs[1];
  const Node *neuron = graph::producer(graph_, spikes), *by = graph::producer(graph_, gate);
  if (neuron == nullptr || by == nullptr || by->op != "saccade") return nullptr;
  if (neuron->op != "lif" && neuron->op != "if") return nullptr;
  const bool same = graph_.edges.at(spikes).pixels() == graph_.edges.at(gate).pixels();
  const bool seen = uses_.at(spikes) != 1 || ends_.contains(spikes) || recorded(neuron->name + ".v");
  return same && !seen ? neuron : nullptr;
}

void Demand::find_gates() {
  for (const Node& mask : graph_.nodes) {
    const Node* neuron = hidden(mask);
    const Node* current = neuron == nullptr ? nullptr : graph::producer(graph_, neuron->inputs[0]);
    if (current == nullptr || current->op != "requant") continue;
    for (const std::string& sum : current->inputs) {
      if (fused(sum)) gates_[sum] = mask.inputs[1];
    }
  }
}

void Demand::put_in_order() {
  std::set<const Node*> late;
  for (const Node& node : graph_.nodes) {
    if (const Node* neuron = hidden(node)) late.insert(neuron);
  }
  for (const Node& node : graph_.nodes) {
    if (late.contains(&node)) continue;
    if (const Node* neuron = hidden(node)) order_.push_back(neuron);
    order_.push_back(&node);
  }
}

bool Demand::recorded(const std::string& name) const { return std::ranges::count(options_.record, name) > 0; }

const Node* Demand::recorded_node(const std::string& name) const {
  const bool suffix = name.ends_with(".v") || name.ends_with(".i") || name.ends_with(".sum");
  const std::string node = suffix ? name.substr(0, name.rfind('.')) : name;
  const auto found = std::ranges::find(graph_.nodes, node, &Node::name);
  return found == graph_.nodes.end() ? nullptr : &*found;
}

std::string Demand::recorded_edge(const std::string& name) const {
  const Node* node = recorded_node(name);
  const bool neuron = node != nullptr && ops::is_neuron(node->op);
  const bool gate = node != nullptr && node->op == "saccade";
  const bool sums = node != nullptr && graph_.edges.at(node->outputs[0]).type == EdgeType::kSum;
  const bool spikes = neuron && graph_.edges.at(node->outputs[0]).type == EdgeType::kSpike;
  require(name.ends_with(".sum") ? sums
          : name.ends_with(".i") ? neuron && neurons::has_current(*node)
          : name.ends_with(".v") ? neuron
                                 : spikes || gate,
          ErrorCode::kInvalidArgument,
          "record '" + name +
              "': expected '<neuron>' or '<saccade>' of one that gives spikes, '<neuron>.v', '<neuron>.i' of "
              "one with a synaptic current, '<conv or linear>.sum' or that of another operation that adds up "
              "spikes, or '<readout>.sum' of an integer readout");
  return node->outputs[0];
}

}  // namespace snncore::runtime
