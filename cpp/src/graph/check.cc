#include "graph/check.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/checked.h"
#include "ops/check.h"

namespace snncore::graph {
namespace {

constexpr size_t kMaxName = 256;
constexpr int64_t kMaxSide = 65535;
constexpr size_t kMaxNodes = 10'000;

void check_carries(const ops::Node& node, const ops::OpDef& def) {
  const std::string label = node.op + " '" + node.name + "': ";
  for (const auto& [key, value] : node.attrs) {
    const bool known =
        std::any_of(def.attrs.begin(), def.attrs.end(), [&](const char* a) { return key == a; });
    if (!known) refuse(label + "unknown attribute '" + key + "'");
  }
  for (const auto& [role, name] : node.tensors) {
    if (ops::find_role(def, role) == nullptr) refuse(label + "unknown tensor role '" + role + "'");
  }
}

void check_tensor(const Graph& graph, const std::string& label, const std::string& role,
                  const std::string& name) {
  const std::string what = label + "tensor '" + name + "' (" + role + ")";
  check_name("tensor", name);
  if (name.starts_with("pad.")) refuse(what + " has a name that is kept for padding");
  const auto it = graph.tensors.find(name);
  if (it == graph.tensors.end()) refuse(what + " does not exist");
  const tensor::Tensor& t = it->second;
  const int64_t bytes =
      checked_mul(element_count(t.shape, what), static_cast<int64_t>(dtype_size(t.dtype)), what);
  if (bytes == 0 || t.data == nullptr || static_cast<uint64_t>(bytes) != t.bytes) {
    refuse(what + " is " + dtype_name(t.dtype) + " " + shape_string(t.shape) + " in " +
           std::to_string(t.bytes) + " bytes");
  }
}

void check_node(const Graph& graph, const ops::Node& node, std::set<std::string>& edges) {
  check_name("node", node.name);
  check_name("operation", node.op);
  const std::string label = node.op + " '" + node.name + "': ";
  const ops::OpDef* def = ops::find_op(node.op, node.version);
  if (def == nullptr) {
    refuse(label + (ops::find_op(node.op, 1) == nullptr ? "unknown operation"
                                                        : "unknown version " + std::to_string(node.version)));
  }
  check_carries(node, *def);
  if (node.inputs.empty()) refuse(label + "has no input");
  for (const std::string& edge : node.inputs) {
    check_name("edge", edge);
    if (!edges.contains(edge) && node.op != "delay") {  // a delay may read what comes later: a cycle
      refuse(label + "reads edge '" + edge + "', which no input and no earlier node writes");
    }
  }
  if (node.outputs.size() != 1) {
    refuse(label + "writes 1 edge, states " + std::to_string(node.outputs.size()));
  }
  check_name("edge", node.outputs[0]);
  if (!edges.insert(node.outputs[0]).second) {
    refuse(label + "writes edge '" + node.outputs[0] + "', which exists already");
  }
  for (const auto& [role, name] : node.tensors) check_tensor(graph, label, role, name);
}

void check_zero_point(const std::string& what, const ops::Edge& edge) {
  if (edge.zero_point.size() != static_cast<size_t>(edge.channels())) {
    refuse(what + " has " + std::to_string(edge.channels()) + " channels and " +
           std::to_string(edge.zero_point.size()) + " zero points");
  }
  for (const int64_t z : edge.zero_point) {
    if (z < 0 || z > 255) refuse(what + ": zero_point must be in 0..255, holds " + std::to_string(z));
  }
  const auto scale = static_cast<float>(edge.scale);
  if (!std::isfinite(scale) || !(scale > 0)) {
    refuse(what + ": scale must be positive and finite, is " + std::to_string(edge.scale));
  }
}

void check_input_edge(const std::string& what, const ops::Edge& edge) {
  int64_t count = 1;
  if (edge.shape.size() != 1 && edge.shape.size() != 3) {
    refuse(what + " must be [H, W, C] or [F], is " + shape_string(edge.shape));
  }
  for (const int64_t axis : edge.shape) {
    if (axis < 1 || axis > INT32_MAX || (count *= axis) > INT32_MAX) {
      refuse(what + " has the shape " + shape_string(edge.shape));
    }
  }
  if (ops::edge_dtype(edge) == "i32") {
    refuse(what + " must be b1, u<p>, pixel or f32, is i32");
  }
  ops::Edge plain = edge;  // the canonical form of everything that this type leaves no choice in
  const bool count_type = edge.type == ops::EdgeType::kCount, pixel = edge.type == ops::EdgeType::kPixel;
  plain.lo = 0;
  if (!count_type) plain.divisor = 1;
  if (!count_type) plain.hi = edge.type == ops::EdgeType::kSpike ? 1 : pixel ? 255 : 0;
  if (plain.hi < 0 || plain.hi > 65535 || (count_type && plain.hi == 0) || plain.divisor < 1) {
    refuse(what + " has a range or unit outside its type");
  }
  if (pixel || (edge.type == ops::EdgeType::kReal && !edge.zero_point.empty())) {
    check_zero_point(what, edge);
  } else {
    plain.zero_point.clear();
    plain.scale = 0;
  }
  if (plain != edge) {
    refuse(what + ": range, unit, zero_point or scale do not belong to " + ops::edge_dtype(edge));
  }
}

void check_layout(const Port& port, const ops::Edge& edge) {
  std::string axes = port.layout, time = port.layout;
  std::sort(axes.begin(), axes.end());
  const std::string need = edge.is_image() ? "CHNW" : "CN";
  std::string timed = need + "T";
  std::sort(timed.begin(), timed.end());
  if (axes != need && axes != timed) {
    refuse("input '" + port.name + "': layout must be a permutation of " +
           (edge.is_image() ? "NCHW or TNCHW" : "NC or TNC") + ", is '" + port.layout + "'");
  }
}

void check_outputs(const Graph& graph) {
  std::set<std::string> names, written;
  for (const ops::Node& node : graph.nodes) written.insert(node.outputs[0]);
  if (graph.outputs.empty()) refuse("outputs: a network has at least one");
  for (const Port& port : graph.outputs) {
    check_name("output", port.name);
    check_name("edge", port.edge);
    if (!names.insert(port.name).second) refuse("output '" + port.name + "' occurs twice");
    if (!written.contains(port.edge)) {
      refuse("output '" + port.name + "': no node writes edge '" + port.edge + "'");
    }
    if (!port.layout.empty()) refuse("output '" + port.name + "': only inputs have a layout");
    const ops::Edge& edge = graph.edges.at(port.edge);
    if (edge.type != ops::EdgeType::kSpike && edge.type != ops::EdgeType::kCount &&
        edge.type != ops::EdgeType::kReal) {
      refuse("output '" + port.name + "' must be b1, u<p> or f32, is " + ops::edge_text(edge));
    }
  }
}

void check_task(const Graph& graph) {
  for (const auto& [key, value] : graph.provenance) check_name("provenance", key);
  if (std::ranges::any_of(graph.labels, has_control)) refuse("labels: one holds a control character");
  if (!graph.labels.empty()) {
    const ops::Edge& edge = graph.edges.at(graph.outputs[0].edge);
    if (edge.is_image() || static_cast<size_t>(edge.channels()) != graph.labels.size()) {
      refuse("labels: there are " + std::to_string(graph.labels.size()) + ", output '" +
             graph.outputs[0].name + "' is " + shape_string(edge.shape));
    }
  }
  if (!graph.has_preprocess) return;
  const Preprocess& p = graph.preprocess;
  const ops::Edge& edge = graph.edges.at(graph.inputs[0].edge);
  if (p.crop != "center" && p.crop != "stretch") {
    refuse("preprocess.crop must be center or stretch, is '" + p.crop + "'");
  }
  if (p.color != "rgb" && p.color != "gray") {
    refuse("preprocess.color must be rgb or gray, is '" + p.color + "'");
  }
  const Shape shape{p.height, p.width, p.color == "rgb" ? 3 : 1};
  if (p.height > kMaxSide || p.width > kMaxSide || shape != edge.shape) {
    refuse("preprocess gives " + shape_string(shape) + ", input '" + graph.inputs[0].name + "' takes " +
           shape_string(edge.shape));
  }
}

// A readout is known behind the last step: what reads it has no state, and reads nothing else.
void check_totals(const Graph& graph) {
  const std::set<std::string> known = totals(graph);
  for (const ops::Node& node : graph.nodes) {
    const auto read = static_cast<size_t>(
        std::ranges::count_if(node.inputs, [&](const std::string& in) { return known.contains(in); }));
    const bool keeps =
        ops::is_neuron(node.op) || node.op == "saccade" || node.op == "delay" || node.op == "readout";
    if (read == 0 || (read == node.inputs.size() && !keeps)) continue;
    refuse(node.op + " '" + node.name + "' reads a readout, which is known behind the last step: only " +
           "layers without a state may, that read nothing else");
  }
}

}  // namespace

void refuse(const std::string& message) { throw Error(ErrorCode::kFormat, message); }

bool has_control(const std::string& text) noexcept {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_name(const std::string& kind, const std::string& name) {
  if (name.empty() || name.size() > kMaxName) {
    refuse(kind + " name must have 1 to 256 bytes, has " + std::to_string(name.size()));
  }
  if (has_control(name)) refuse(kind + " name holds a control character");
}

void check_structure(const Graph& graph) {
  std::set<std::string> edges, ports, names;
  if (graph.inputs.empty()) refuse("inputs: a network has at least one");
  if (graph.nodes.empty()) refuse("graph.nodes: a network has at least one");
  if (graph.nodes.size() > kMaxNodes) {
    refuse("graph.nodes: there are " + std::to_string(graph.nodes.size()) + ", at most " +
           std::to_string(kMaxNodes) + " are allowed");
  }
  for (const Port& port : graph.inputs) {
    check_name("input", port.name);
    check_name("edge", port.edge);
    if (!ports.insert(port.name).second) refuse("input '" + port.name + "' occurs twice");
    if (!edges.insert(port.edge).second) {
      refuse("input '" + port.name + "': edge '" + port.edge + "' is an input already");
    }
    const auto it = graph.edges.find(port.edge);
    if (it == graph.edges.end()) refuse("input '" + port.name + "': edge '" + port.edge + "' does not exist");
    check_input_edge("input edge '" + port.edge + "'", it->second);
  }
  for (const ops::Node& node : graph.nodes) {
    check_node(graph, node, edges);
    if (!names.insert(node.name).second) refuse("node '" + node.name + "' occurs twice");
  }
  for (const ops::Node& node : graph.nodes) {
    if (node.op == "delay" && !edges.contains(node.inputs[0])) {
      refuse("delay '" + node.name + "': reads edge '" + node.inputs[0] +
             "', which no input and no node writes");
    }
  }
}

void check_interface(const Graph& graph) {
  if (graph.timesteps < 1 || graph.timesteps > 4096) {
    refuse("timesteps must be in 1..4096, is " + std::to_string(graph.timesteps));
  }
  for (const Port& port : graph.inputs) check_layout(port, graph.edges.at(port.edge));
  check_outputs(graph);
  check_totals(graph);
  check_task(graph);
}

}  // namespace snncore::graph
