// A network as data: nodes, edges and tensors. Anyone may read it; passes rewrite it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ops/op.h"

namespace snncore::graph {

/// Channels that one value may stand for: what a few bytes of a file cost in memory is bounded.
inline constexpr int64_t kMaxRepeated = int64_t{1} << 20;

struct Port {
  std::string name;
  std::string edge;
  std::string layout;  // inputs only
};

/// How a picture becomes the input array.
struct Preprocess {
  int64_t height = 0, width = 0;
  std::string crop = "center";  // or "stretch"
  std::string color = "rgb";    // or "gray"
};

struct Graph {
  std::vector<ops::Node> nodes;  // topological order
  std::map<std::string, ops::Edge> edges;
  ops::TensorMap tensors;
  std::vector<Port> inputs, outputs;
  int64_t timesteps = 1;
  std::vector<std::string> labels;  // empty: none
  bool has_preprocess = false;
  Preprocess preprocess;
  std::map<std::string, std::string> provenance;
};

/// Checks names, order, every node against its definition, and that each stated edge equals the inferred one.
/// Throws Error(kFormat).
void validate(const Graph& graph);

/// The same for a graph as files hold it: edges that are not stated are filled in, but the inputs' and those
/// of delays that read back, which must be there; a tensor of channels that has one value becomes one for
/// each.
void complete(Graph& graph);

/// Infers every edge anew, but the inputs' and those of delays that read back. Outputs are not looked at.
void infer_edges(Graph& graph);

/// The channels that the tensors of a node are for: those of its weight, or of what it reads, which must be
/// known; 0 where there is no axis.
int64_t channels_of(const Graph& graph, const ops::Node& node);

ops::NodeView view(const Graph& graph, const ops::Node& node);

/// The node that writes an edge, or null for an input.
const ops::Node* producer(const Graph& graph, const std::string& edge);

/// The edges that have one value for all steps: readouts and what is made of them.
std::set<std::string> totals(const Graph& graph);

/// Does a delay read the edge of a node that comes later? Only delays can.
bool reads_back(const Graph& graph, const ops::Node& node);
/// Some node does: the graph has a cycle.
bool is_recurrent(const Graph& graph);

/// How many nodes and outputs read an edge.
size_t readers(const Graph& graph, const std::string& edge);

/// The node of a name that exists.
ops::Node& find_node(Graph& graph, const std::string& name);

}  // namespace snncore::graph
