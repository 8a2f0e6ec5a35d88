#include <snncore/model.h>

#include <algorithm>

#include "base/checked.h"
#include "format/document.h"
#include "format/model_impl.h"
#include "format/snn.h"
#include "format/stored.h"

namespace snncore {
namespace {

using ops::Edge;
using ops::EdgeType;
using ops::Node;

Shape user_shape(const Edge& e) { return e.is_image() ? Shape{e.shape[2], e.shape[0], e.shape[1]} : e.shape; }

std::shared_ptr<const Model::Impl> hold(format::Loaded loaded) {
  auto impl = std::make_shared<Model::Impl>();
  impl->graph = std::move(loaded.graph);
  impl->file_bytes = loaded.file_bytes;
  impl->file_format = loaded.file_format;
  return impl;
}

int state_bits(const Node& neuron) {
  const auto state = neuron.attrs.find("state");
  return state == neuron.attrs.end() ? 32 : std::stoi(std::get<std::string>(state->second).substr(1));
}

// The neuron that an edge reaches, through requant alone; or null.
const Node* neuron_after(const graph::Graph& g, const std::string& edge) {
  for (const Node& node : g.nodes) {
    if (std::ranges::count(node.inputs, edge) == 0) continue;
    if (ops::is_neuron(node.op)) return &node;
    if (node.op == "requant") return neuron_after(g, node.outputs[0]);
  }
  return nullptr;
}

// A requant in front of a neuron is arithmetic of that neuron: no row of its own, its bytes count there.
bool belongs_to_a_neuron(const graph::Graph& g, const Node& node) {
  return node.op == "requant" && neuron_after(g, node.outputs[0]) != nullptr;
}

LayerInfo layer_info(const graph::Graph& g, const Node& node, const format::Uses& uses) {
  const Edge& out = g.edges.at(node.outputs[0]);
  LayerInfo info{.name = node.name, .op = node.op, .neuron = {}, .shape = user_shape(out)};
  info.bytes = format::stored_bytes(g, node, uses);
  if (const auto weight = node.tensors.find("weight"); weight != node.tensors.end()) {
    const tensor::Tensor& w = g.tensors.at(weight->second);
    info.weight_bits = w.coded() ? w.bits : 32;
    info.kept_channels = out.channels();
    if (const Node* neuron = neuron_after(g, node.outputs[0])) {
      info.neuron = neuron->op;
      info.state_bits = state_bits(*neuron);
    }
  }
  if (ops::is_neuron(node.op)) {
    info.state_bits = state_bits(node);
    for (const std::string& input : node.inputs) {
      const Node* before = graph::producer(g, input);
      if (before != nullptr && before->op == "requant") info.bytes += format::stored_bytes(g, *before, uses);
    }
  }
  return info;
}

PortInfo port_info(const graph::Graph& g, const graph::Port& port, const std::string& layout) {
  const Edge& e = g.edges.at(port.edge);
  return {.name = port.name,
          .dtype = ops::edge_dtype(e),
          .shape = user_shape(e),
          .layout = layout,
          .zero_point = e.zero_point,
          .scale = e.scale};
}

}  // namespace

Model Model::load(const std::string& path) { return Model(hold(format::read_file(path))); }

Model Model::from_bytes(std::span<const std::byte> bytes) {
  return Model(hold(format::read_bytes(bytes, nullptr)));
}

Model Model::from_bytes(std::string bytes) {
  const auto kept = std::make_shared<const std::string>(std::move(bytes));
  return Model(hold(format::read_bytes(std::as_bytes(std::span(*kept)), kept)));
}

void Model::save(const std::string& path) const { format::write_file(impl_->graph, path); }
std::string Model::to_bytes(int format) const { return format::write_bytes(impl_->graph, format); }

std::vector<PortInfo> Model::inputs() const {
  std::vector<PortInfo> all;
  for (const graph::Port& port : impl_->graph.inputs)
    all.push_back(port_info(impl_->graph, port, port.layout));
  return all;
}

std::vector<PortInfo> Model::outputs() const {
  std::vector<PortInfo> all;
  const std::set<std::string> totals = graph::totals(impl_->graph);
  for (const graph::Port& port : impl_->graph.outputs) {
    const std::string axes = impl_->graph.edges.at(port.edge).is_image() ? "CHW" : "C";
    const std::string lead = totals.contains(port.edge) ? "N" : "TN";
    all.push_back(port_info(impl_->graph, port, lead + axes));
  }
  return all;
}

std::vector<LayerInfo> Model::layers() const {
  std::vector<LayerInfo> all;
  const format::Uses uses = format::count_uses(impl_->graph);
  for (const Node& node : impl_->graph.nodes) {
    if (!belongs_to_a_neuron(impl_->graph, node)) all.push_back(layer_info(impl_->graph, node, uses));
  }
  return all;
}

int64_t Model::timesteps() const noexcept { return impl_->graph.timesteps; }
const std::vector<std::string>& Model::labels() const noexcept { return impl_->graph.labels; }

std::optional<PreprocessInfo> Model::preprocess() const {
  if (!impl_->graph.has_preprocess) return std::nullopt;
  const graph::Preprocess& p = impl_->graph.preprocess;
  return PreprocessInfo{p.height, p.width, p.crop, p.color};
}

const std::map<std::string, std::string>& Model::provenance() const noexcept {
  return impl_->graph.provenance;
}
size_t Model::file_bytes() const noexcept { return impl_->file_bytes; }
int Model::file_format() const noexcept { return impl_->file_format; }
std::string Model::document() const { return format::write_document(impl_->graph, 1); }

}  // namespace snncore
