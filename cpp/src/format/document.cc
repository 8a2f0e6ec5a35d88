#include "format/document.h"

#include <set>

#include "format/edge_json.h"
#include "format/json.h"
#include "format/node_json.h"
#include "format/stored.h"

namespace snncore::format {
namespace {

using graph::Graph;
using nlohmann::json;
using tensor::Encoding;

// ---- reading

/// The format.
int64_t read_kind(const JsonView& doc) {
  const std::string& kind = doc.at("kind").name();
  if (kind != "model") doc.at("kind").fail("must be 'model', is '" + kind + "'");
  const JsonView format = doc.at("format");
  if (format.integer() > kFormatVersion) {
    format.fail("this file has format " + std::to_string(format.integer()) + ", snncore " + version() +
                " reads up to " + std::to_string(kFormatVersion) + "; a newer snncore reads it");
  }
  return format.integer_in(1, kFormatVersion);
}

std::vector<graph::Port> read_ports(const JsonView& list, bool inputs) {
  std::vector<graph::Port> ports;
  for (size_t i = 0; i < list.size(); ++i) {
    const JsonView at = list.item(i);
    inputs ? at.expect_keys({"name", "edge", "layout"}) : at.expect_keys({"name", "edge"});
    ports.push_back({at.at("name").name(), at.at("edge").name(), inputs ? at.at("layout").name() : ""});
  }
  return ports;
}

void read_task(const JsonView& doc, Graph& graph) {
  if (doc.has("labels")) {
    graph.labels = doc.at("labels").names();
    if (graph.labels.empty()) doc.at("labels").fail("must be null or have at least one");
  }
  if (doc.has("preprocess")) {
    const JsonView at = doc.at("preprocess");
    at.expect_keys({"size", "crop", "color"});
    const std::vector<int64_t> size = at.at("size").integers();
    if (size.size() != 2) at.at("size").fail("must be [height, width]");
    graph.has_preprocess = true;
    graph.preprocess = {size[0], size[1], at.at("crop").name(), at.at("color").name()};
  }
  for (const auto& [key, value] : doc.at("provenance").object().items()) {
    graph.provenance[key] = JsonView(value, "provenance." + key).text();
  }
}

void read_encodings(const JsonView& list, ops::TensorMap& tensors) {
  for (const auto& [name, value] : list.object().items()) {
    const JsonView at(value, list.path() + "." + name);
    at.expect_keys({"shape", "bits", "encoding"});
    const auto it = tensors.find(name);
    if (it == tensors.end()) at.fail("the file holds no such tensor");
    it->second.logical = at.at("shape").integers();
    it->second.bits = static_cast<int>(at.at("bits").integer_in(1, 8));
    const std::string& encoding = at.at("encoding").name();
    if (encoding != "odd" && encoding != "sym") {
      at.at("encoding").fail("must be odd or sym, is '" + encoding + "'");
    }
    it->second.encoding = encoding == "odd" ? Encoding::kOdd : Encoding::kSym;
  }
}

// ---- writing

json write_ports(const std::vector<graph::Port>& ports, bool inputs) {
  json list = json::array();
  for (const graph::Port& port : ports) {
    json item = {{"name", port.name}, {"edge", port.edge}};
    if (inputs) item["layout"] = port.layout;
    list.push_back(std::move(item));
  }
  return list;
}

json write_encodings(const Graph& graph) {
  json object = json::object();
  for (const auto& [name, uses] : count_uses(graph)) {
    const tensor::Tensor& t = graph.tensors.at(name);
    if (!t.coded()) continue;
    object[name] = {
        {"shape", t.logical}, {"bits", t.bits}, {"encoding", t.encoding == Encoding::kOdd ? "odd" : "sym"}};
  }
  return object;
}

/// From format 2 on, those that the operations do not give.
json write_edges(const Graph& graph, int format) {
  json object = json::object();
  std::set<std::string> given;
  for (const ops::Node& node : graph.nodes) {
    if (!graph::reads_back(graph, node)) given.insert(node.outputs[0]);
  }
  for (const auto& [name, edge] : graph.edges) {
    if (format == 1 || !given.contains(name)) object[name] = write_edge(edge);
  }
  return object;
}

}  // namespace

int read_document(const std::string& text, Graph& graph) {
  const json parsed = parse_json(text, "snncore");
  const JsonView doc(parsed, "snncore");
  const int64_t format = read_kind(doc);
  doc.expect_keys({"kind", "format", "timesteps", "inputs", "outputs", "provenance", "tensors", "graph"},
                  {"labels", "preprocess"});
  graph.timesteps = doc.at("timesteps").integer_in(1, 4096);
  graph.inputs = read_ports(doc.at("inputs"), true);
  graph.outputs = read_ports(doc.at("outputs"), false);
  read_task(doc, graph);
  read_encodings(doc.at("tensors"), graph.tensors);

  const JsonView network = doc.at("graph");
  network.expect_keys({"edges", "nodes"});
  const JsonView edges = network.at("edges"), nodes = network.at("nodes");
  for (const auto& [name, value] : edges.object().items()) {
    graph.edges.emplace(name, read_edge({value, edges.path() + "." + name}));
  }
  read_nodes(nodes, format, graph);
  return static_cast<int>(format);
}

std::string write_document(const Graph& graph, int format) {
  const graph::Preprocess& p = graph.preprocess;
  json preprocess;
  if (graph.has_preprocess) {
    preprocess = {{"size", {p.height, p.width}}, {"crop", p.crop}, {"color", p.color}};
  }
  const json doc = {
      {"kind", "model"},
      {"format", format},
      {"timesteps", graph.timesteps},
      {"inputs", write_ports(graph.inputs, true)},
      {"outputs", write_ports(graph.outputs, false)},
      {"labels", graph.labels.empty() ? json() : json(graph.labels)},
      {"preprocess", preprocess},
      {"provenance", graph.provenance},
      {"tensors", write_encodings(graph)},
      {"graph", {{"edges", write_edges(graph, format)}, {"nodes", write_nodes(graph, format)}}}};
  return dump_json(doc, "snncore");
}

}  // namespace snncore::format
