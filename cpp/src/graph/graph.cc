#include "graph/graph.h"

#include <algorithm>

#include "graph/check.h"
#include "neurons/lif.h"
#include "ops/bounds.h"
#include "ops/check.h"
#include "ops/infer.h"

namespace snncore::graph {
namespace {

/// Walks the nodes in order and proves what one node cannot know alone: the ranges of sums and currents,
/// from the weights, and the promises of profiles.
class Walker {
 public:
  explicit Walker(const Graph& graph) : graph_(graph) {}

  /// The output edge of the next node; the edges of its inputs must be in the graph.
  ops::Edge next(const ops::Node& node) {
    const ops::NodeView at = view(graph_, node);
    if (node.op == "flatten" && at.inputs[0]->type == ops::EdgeType::kPixel) {
      charge(at, at.inputs[0]->pixels() * at.inputs[0]->channels());
    }
    ops::Edge edge = ops::find_op(node.op, node.version)->infer(at);
    if (edge.type == ops::EdgeType::kSum && node.op != "flatten") {
      if (at.find("weight") == nullptr) charge(at, edge.channels());
      const ops::ChannelRange& sum = ranges_.emplace(node.outputs[0], ops::channel_range(at)).first->second;
      edge.lo = *std::min_element(sum.lo.begin(), sum.lo.end());
      edge.hi = *std::max_element(sum.hi.begin(), sum.hi.end());
    }
    if (node.op == "residual") {
      const ops::ChannelRange& stream =
          ranges_.emplace(node.outputs[0], ops::residual_range(at, sums(at))).first->second;
      edge.lo = *std::min_element(stream.lo.begin(), stream.lo.end());
      edge.hi = *std::max_element(stream.hi.begin(), stream.hi.end());
    }
    if (node.op == "saccade") check_steps(at, "weighs", ops::saccade_steps(at));
    if (node.op == "requant" || node.op == "residual") {
      const int64_t rows = ops::factor_steps(at);
      if (rows != 0) check_steps(at, "has factors for", rows);
    }
    if (node.op == "requant") {
      const ops::Range range = ops::requant_range(at, sums(at));
      edge.lo = range.lo;
      edge.hi = range.hi;
    }
    if ((node.op == "lif" || node.op == "if") && at.text("arith") == "int") check_neuron(at);
    producers_.emplace(node.outputs[0], &node);
    return edge;
  }

 private:
  // What is kept for each channel, where no tensor of the file has as many values.
  void charge(const ops::NodeView& at, int64_t channels) {
    constexpr int64_t kMostChannels = 1 << 22;
    channels_ += channels;
    if (channels_ > kMostChannels) at.fail("there are more than 4194304 channels without weights");
  }
  std::vector<const ops::ChannelRange*> sums(const ops::NodeView& requant) {
    std::vector<const ops::ChannelRange*> found;
    for (size_t j = 0; j < requant.inputs.size(); ++j) {
      const ops::EdgeType type = requant.inputs[j]->type;
      const bool sum = type == ops::EdgeType::kSum || type == ops::EdgeType::kStream;
      found.push_back(sum ? &range(requant, requant.node.inputs[j]) : nullptr);
    }
    return found;
  }

  const ops::ChannelRange& range(const ops::NodeView& reader, const std::string& edge) {
    const auto known = ranges_.find(edge);
    if (known == ranges_.end()) {
      const bool stream = graph_.edges.at(edge).type == ops::EdgeType::kStream;
      reader.fail(stream ? "stream '" + edge + "' must come straight from residual"
                         : "sum '" + edge +
                               "' must come straight from conv2d, linear, attention, count or a map");
    }
    return known->second;
  }

  void check_steps(const ops::NodeView& at, const std::string& does, int64_t most) const {
    if (graph_.timesteps <= most) return;
    at.fail(does + " " + std::to_string(most) + " steps, timesteps is " + std::to_string(graph_.timesteps));
  }

  void check_neuron(const ops::NodeView& neuron) {
    const std::string& profile = neuron.text("profile");
    if (const int64_t most = neuron.integer("unit_bits") + 1; profile == "X" && graph_.timesteps > most) {
      neuron.fail("profile X takes " + std::to_string(most) + " steps, timesteps is " +
                  std::to_string(graph_.timesteps));
    }
    const ops::NodeView requant = view(graph_, *producers_.at(neuron.node.inputs[0]));
    for (const ops::Edge* x : requant.inputs) {
      if (x->type == ops::EdgeType::kStream && profile != "W") {
        neuron.fail("profile " + profile + " needs sums, " + requant.label() + " reads a stream");
      }
    }
    std::vector<std::vector<int64_t>> a_max;
    for (const ops::ChannelRange* r : sums(requant)) {
      a_max.push_back(r != nullptr ? r->a_max : std::vector<int64_t>{});
    }
    neurons::check_profile(neuron, requant, a_max);
  }

  const Graph& graph_;
  std::map<std::string, const ops::Node*> producers_;
  std::map<std::string, ops::ChannelRange> ranges_;
  int64_t channels_ = 0;
};

std::string describe(const ops::Edge& edge) {
  return ops::edge_text(edge) + " in " + std::to_string(edge.lo) + ".." + std::to_string(edge.hi) +
         " of unit 1/" + std::to_string(edge.divisor);
}

std::string edge_label(const ops::Node& node) {
  return node.op + " '" + node.name + "': output edge '" + node.outputs[0] + "'";
}

void expect_stated(const Graph& graph, const ops::Node& node, const ops::Edge& edge) {
  const ops::Edge& stated = graph.edges.at(node.outputs[0]);
  if (stated == edge) return;
  refuse(edge_label(node) + " must be " + describe(edge) + ", is stated as " + describe(stated));
}

void expect_number_of_edges(const Graph& graph) {
  const size_t edges = graph.inputs.size() + graph.nodes.size();
  if (graph.edges.size() == edges) return;
  refuse("graph.edges: the network has " + std::to_string(edges) + " edges, " +
         std::to_string(graph.edges.size()) + " are stated");
}

/// Tensors of channels that have one value, where there are several channels.
void spread(Graph& graph, const ops::Node& node) {
  const ops::OpDef& def = *ops::find_op(node.op, node.version);
  for (const auto& [role, name] : node.tensors) {
    tensor::Tensor& t = graph.tensors.at(name);
    if (!ops::find_role(def, role)->of_channels || t.shape != Shape{1} || t.coded()) continue;
    const int64_t channels = channels_of(graph, node);
    if (channels > 1 && channels <= kMaxRepeated) t = tensor::repeated(t, channels);
  }
}

void fill_in(Graph& graph) {
  check_structure(graph);
  Walker walker(graph);
  std::vector<const ops::Node*> loops;  // their inputs are known at the end
  for (const ops::Node& node : graph.nodes) {
    const bool stated = graph.edges.contains(node.outputs[0]);
    if (reads_back(graph, node)) {
      if (!stated) refuse(edge_label(node) + " must be stated, since a later node writes what it reads");
      loops.push_back(&node);
      continue;
    }
    spread(graph, node);
    const ops::Edge edge = walker.next(node);
    stated ? expect_stated(graph, node, edge) : void(graph.edges.emplace(node.outputs[0], edge));
  }
  for (const ops::Node* delay : loops) expect_stated(graph, *delay, walker.next(*delay));
  expect_number_of_edges(graph);
}

}  // namespace

void validate(const Graph& graph) {
  check_structure(graph);
  expect_number_of_edges(graph);
  Walker walker(graph);
  for (const ops::Node& node : graph.nodes) {
    if (!graph.edges.contains(node.outputs[0])) refuse(edge_label(node) + " is not stated");
    expect_stated(graph, node, walker.next(node));
  }
  check_interface(graph);
}

void complete(Graph& graph) {
  fill_in(graph);
  check_interface(graph);
}

void infer_edges(Graph& graph) {
  check_structure(graph);
  std::map<std::string, ops::Edge> given;
  const auto keep = [&](const std::string& name) {
    if (const auto edge = graph.edges.find(name); edge != graph.edges.end()) given.insert(*edge);
  };
  for (const Port& port : graph.inputs) keep(port.edge);
  for (const ops::Node& node : graph.nodes) {
    if (reads_back(graph, node)) keep(node.outputs[0]);
  }
  graph.edges = std::move(given);
  fill_in(graph);
}

int64_t channels_of(const Graph& graph, const ops::Node& node) {
  const ops::NodeView at = view(graph, node);
  const tensor::Tensor* weight = at.find("weight");
  const Shape& shape = weight == nullptr ? at.inputs[0]->shape
                       : weight->coded() ? weight->logical
                                         : weight->shape;
  if (shape.empty()) return 0;
  return weight == nullptr ? shape.back() : shape.front();
}

ops::NodeView view(const Graph& graph, const ops::Node& node) {
  ops::NodeView at{node, {}, graph.tensors};
  for (const std::string& name : node.inputs) {
    const auto edge = graph.edges.find(name);
    if (edge == graph.edges.end()) at.fail("edge '" + name + "' does not exist");
    at.inputs.push_back(&edge->second);
  }
  return at;
}

const ops::Node* producer(const Graph& graph, const std::string& edge) {
  for (const ops::Node& node : graph.nodes) {
    if (!node.outputs.empty() && node.outputs[0] == edge) return &node;
  }
  return nullptr;
}

std::set<std::string> totals(const Graph& graph) {
  std::set<std::string> found;
  for (const ops::Node& node : graph.nodes) {
    const bool made = std::ranges::any_of(node.inputs, [&](const auto& in) { return found.contains(in); });
    if (node.op == "readout" || made) found.insert(node.outputs[0]);
  }
  return found;
}

bool reads_back(const Graph& graph, const ops::Node& node) {
  if (node.op != "delay") return false;
  const ops::Node* source = producer(graph, node.inputs[0]);
  return source != nullptr && source >= &node;
}

bool is_recurrent(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [&](const ops::Node& node) { return reads_back(graph, node); });
}

size_t readers(const Graph& graph, const std::string& edge) {
  size_t n = 0;
  for (const ops::Node& node : graph.nodes) n += static_cast<size_t>(std::ranges::count(node.inputs, edge));
  for (const Port& port : graph.outputs) n += port.edge == edge ? 1 : 0;
  return n;
}

ops::Node& find_node(Graph& graph, const std::string& name) {
  return *std::ranges::find(graph.nodes, name, &ops::Node::name);
}

}  // namespace snncore::graph
