// What a GraphBuilder has put together so far, and what its operations share.
#pragma once

#include <snncore/builder.h>

#include <algorithm>
#include <map>
#include <utility>

#include "api/built_value.h"
#include "api/made_tensors.h"
#include "api/rule_neuron.h"
#include "api/streams.h"
#include "api/weight_tensors.h"
#include "base/checked.h"
#include "graph/graph.h"
#include "ops/bounds.h"

namespace snncore {

using ops::Attr;
using ops::Edge;
using ops::EdgeType;
using ops::Node;

inline std::vector<int64_t> list(std::span<const int64_t> values) { return {values.begin(), values.end()}; }

inline void need(bool ok, const std::string& message, ErrorCode code = ErrorCode::kInvalidArgument) {
  require(ok, code, message);
}

// [C], or a row of so many channels for each step.
inline tensor::Tensor of_steps(std::span<const int32_t> factors, int64_t channels) {
  const auto count = static_cast<int64_t>(factors.size());
  const bool rows = count > channels && count % channels == 0;
  return store(DType::kI32, rows ? Shape{count / channels, channels} : Shape{count}, factors.data(),
               factors.size());
}

struct GraphBuilder::Impl {
  graph::Graph graph;
  std::map<std::string, BuiltValue> values;
  std::vector<PendingNeuron> neurons;    // constants follow when the number of steps is known
  std::vector<PendingReadout> readouts;  // of streams
  std::vector<PendingResidual> residuals;
  StreamUnits units;

  const BuiltValue& any_value(const std::string& layer, const std::string& name) const {
    const auto found = values.find(name);
    need(found != values.end(), layer + ": there is no edge '" + name + "'");
    need(!found->second.folded, layer + ": '" + name + "' was folded into the batch_norm after it");
    return found->second;
  }

  const BuiltValue& value(const std::string& layer, const std::string& name) const {
    const BuiltValue& v = any_value(layer, name);
    need(v.pooled == nullptr,
         layer + ": '" + name + "' is the mean of a stream: flatten, linear or readout must come next",
         ErrorCode::kUnsupported);
    return v;
  }

  // The mean of a stream, or a vector that is a stream; null: something else.
  std::shared_ptr<const PooledStream> pooled(const std::string& layer, const std::string& name) const {
    const BuiltValue& v = any_value(layer, name);
    if (v.pooled != nullptr) return v.pooled;
    if (v.terms.size() != 1 || !is_pure_stream(v.terms[0])) return nullptr;
    const Edge& edge = graph.edges.at(v.terms[0].edge);
    PooledStream p{.edge = v.terms[0].edge, .stream = *v.terms[0].stream, .share = 1.0, .shape = edge.shape};
    return edge.is_image() ? nullptr : std::make_shared<const PooledStream>(std::move(p));
  }

  std::string hold(const std::string& name, PooledStream p) {
    need(!name.empty() && !values.contains(name) && !graph.edges.contains(name),
         "'" + name + "': the name is empty or taken");
    BuiltValue v;
    v.pooled = std::make_shared<const PooledStream>(std::move(p));
    values[name] = std::move(v);
    return name;
  }

  std::string read_stream(const std::string& name, const PooledStream& p, const std::string& mode) {
    const auto channels = static_cast<size_t>(graph.edges.at(p.edge).channels());
    values.erase(name);
    Node& node = emit("readout", name, {p.edge}, {{"mode", mode}});
    readouts.push_back({.name = name,
                        .scale = std::vector<double>(channels, p.share),
                        .bias = std::vector<double>(channels, 0.0),
                        .stream = p.stream});
    complete(graph, readouts.back());
    return finish(node);
  }

  // The layer takes the mean of the stream instead of the mean of what the layer gives.
  std::string read_head(const std::string& name, const PooledStream& p, const std::string& mode) {
    need(mode != "sum" || p.bias.empty(),
         "readout '" + name + "': the sum over time of '" + p.layer +
             "', which has a bias and reads a "
             "stream, has no form here: take mode mean",
         ErrorCode::kUnsupported);
    const Node* before = graph::producer(graph, p.pool);
    if (before == nullptr) {
      read_stream(p.pool, p, mode);
    } else {
      need(std::get<std::string>(before->attrs.at("mode")) == mode,
           "readout '" + name + "': '" + p.pool + "' is read in another mode already");
    }
    values.erase(p.layer);
    Node& node = emit("linear", p.layer, {p.pool}, {});
    for (const auto& [role, t] : p.weight) attach(node, role, t);
    if (!p.bias.empty()) attach(node, "bias", store(DType::kF32, p.shape, p.bias.data(), p.bias.size()));
    finish(node);
    values[name] = values.at(p.layer);
    return name;
  }

  // The edge of a value that needs no further arithmetic.
  const std::string& edge(const std::string& layer, const std::string& name) const {
    const BuiltValue& v = value(layer, name);
    need(v.terms.size() <= 1, layer + ": '" + name + "' is a sum of several layers: a neuron must come next",
         ErrorCode::kUnsupported);
    need(v.terms.empty() || !v.affine,
         layer + ": '" + name + "' went through batch_norm or step_gain: a neuron must come next",
         ErrorCode::kUnsupported);
    return v.terms.empty() ? v.edge : v.terms[0].edge;
  }

  // A value that is spikes, counts, pixels or reals.
  const std::string& plain(const std::string& layer, const std::string& name) const {
    const BuiltValue& v = value(layer, name);
    need(v.terms.empty(),
         layer + ": '" + name + "' is " +
             (v.terms.size() == 1 && v.terms[0].stream ? "a stream" : "an integer sum") +
             ": a neuron, requant or readout must come next",
         ErrorCode::kUnsupported);
    return v.edge;
  }

  // A sum whose unit is 1, as attention and count give.
  bool counted(const std::string& layer, const std::string& name) const {
    const BuiltValue& v = value(layer, name);
    if (v.terms.size() != 1 || v.affine || v.terms[0].stream || !v.terms[0].gain.empty()) return false;
    const BuiltTerm& term = v.terms[0];
    return term.is_sum && std::ranges::all_of(term.a, [](double a) { return a == 1; }) &&
           std::ranges::all_of(term.d, [](double d) { return d == 0; });
  }

  Node& emit(const std::string& op, const std::string& name, std::vector<std::string> inputs,
             ops::Attrs attrs) {
    need(!name.empty() && !values.contains(name) && !graph.edges.contains(name),
         op + " '" + name + "': the name is empty or taken");
    graph.nodes.push_back({.name = name,
                           .op = op,
                           .version = 1,
                           .inputs = std::move(inputs),
                           .outputs = {name},
                           .attrs = std::move(attrs),
                           .tensors = {}});
    return graph.nodes.back();
  }

  void attach(Node& node, const std::string& role, tensor::Tensor t) {
    node.tensors[role] = node.name + "." + role;
    graph.tensors[node.name + "." + role] = std::move(t);
  }

  // Takes the node's edge from its definition. A refused node leaves nothing behind.
  const Edge& infer(Node& node) {
    try {
      return graph.edges[node.name] = ops::find_op(node.op, node.version)->infer(graph::view(graph, node));
    } catch (const Error& e) {
      for (const auto& [role, name] : node.tensors) graph.tensors.erase(name);
      graph.edges.erase(node.name);
      graph.nodes.pop_back();
      throw Error(ErrorCode::kShape, e.what());
    }
  }

  std::string finish(Node& node, BuiltValue v = {}) {
    const std::string name = node.name;
    infer(node);
    v.edge = name;
    values[name] = std::move(v);
    return name;
  }

  // The stream that `name` is, of the same shape as `x`.
  size_t stream_like(const std::string& label, const std::string& name, const Shape& given,
                     const std::string& x, const Shape& like) const {
    const std::vector<BuiltTerm>& terms = value(label, name).terms;
    need(terms.size() == 1 && is_pure_stream(terms[0]), label + ": '" + name + "' is not a stream");
    need(given == like,
         label + ": '" + x + "' is " + shape_string(like) + ", '" + name + "' is " + shape_string(given),
         ErrorCode::kShape);
    return *terms[0].stream;
  }

  // Writes `x` to the stream `own`, beside `streams`, which are added as they are.
  std::string write_stream(const std::string& label, const std::string& name, const std::string& x,
                           std::vector<std::string> streams, size_t own) {
    need(!name.empty() && !values.contains(name) && !graph.edges.contains(name),
         label + ": the name is empty or taken");
    std::vector<BuiltTerm> parts = value(label, x).terms;
    if (parts.empty()) parts.push_back({.edge = plain(label, x), .is_sum = false, .a = {}, .d = {}});
    PendingResidual p{.name = name, .terms = {}, .streams = std::move(streams), .stream = own};
    for (const BuiltTerm& term : parts) {
      const Edge& edge = graph.edges.at(term.edge);
      need(term.is_sum || edge.type == EdgeType::kSpike || edge.type == EdgeType::kCount,
           label + ": expected sums, spikes or counts, '" + term.edge + "' is " + ops::edge_dtype(edge),
           ErrorCode::kUnsupported);
      need(!term.stream || is_pure_stream(term),
           label + ": stream '" + term.edge +
               "' went through batch_norm or step_gain: a neuron must come next",
           ErrorCode::kUnsupported);
      need(term.gain.empty(), label + ": '" + term.edge + "' went through step_gain: a neuron must come next",
           ErrorCode::kUnsupported);
      if (term.stream) {
        units.join(label, own, *term.stream);
        p.streams.push_back(term.edge);
      } else {
        p.terms.push_back(term);
      }
    }
    std::vector<std::string> inputs;
    for (const BuiltTerm& term : p.terms) inputs.push_back(term.edge);
    inputs.insert(inputs.end(), p.streams.begin(), p.streams.end());
    const Shape like = graph.edges.at(inputs[0]).shape;
    emit("residual", name, std::move(inputs), {});
    residuals.push_back(std::move(p));
    return put_stream(name, like, own);
  }

  std::string put_stream(const std::string& name, const Shape& shape, size_t stream) {
    Edge edge;
    edge.type = EdgeType::kStream;
    edge.shape = shape;
    graph.edges[name] = edge;
    const auto channels = static_cast<size_t>(edge.channels());
    BuiltValue v;
    v.edge = name;
    v.terms.push_back({.edge = name,
                       .is_sum = true,
                       .a = std::vector<double>(channels, 1.0),
                       .d = std::vector<double>(channels, 0.0),
                       .stream = stream});
    values[name] = std::move(v);
    return name;
  }

  // A node with a factor for each input, M.j or K.j, C and n. What `residual` adds as it is has none.
  Node& emit_factors(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                     ops::Attrs attrs, const std::vector<std::vector<int32_t>>& factors,
                     std::span<const int32_t> c, std::span<const int32_t> n) {
    const std::string label = op + " '" + name + "'";
    need(factors.size() == inputs.size(),
         label + ": expected " + std::to_string(inputs.size()) + " factors, received " +
             std::to_string(factors.size()),
         ErrorCode::kShape);
    std::vector<std::string> edges;
    for (const std::string& in : inputs) edges.push_back(edge(label, in));
    Node& node = emit(op, name, edges, std::move(attrs));
    const int64_t channels = graph.edges.at(edges[0]).channels();
    for (size_t j = 0; j < edges.size(); ++j) {
      const EdgeType type = graph.edges.at(edges[j]).type;
      const bool stream = type == EdgeType::kStream, scaled = stream && op == "requant";
      if (stream && !scaled && factors[j].empty()) continue;
      const bool sum = type == EdgeType::kSum || scaled;
      attach(node, (sum ? "M." : "K.") + std::to_string(j),
             sum ? of_steps(factors[j], channels) : ints(factors[j]));
    }
    attach(node, "C", of_steps(c, channels));
    attach(node, "n", ints({n.begin(), n.end()}));
    return node;
  }

  void add_weight(Node& node, const WeightSpec& w, size_t inputs, size_t positions, const Shape& stored) {
    const std::string label = node.op + " '" + node.name + "'";
    for (auto& [role, t] : weight_tensors(label, w, inputs, positions, stored))
      attach(node, role, std::move(t));
  }

  // The value of a conv2d or linear: real for float weights and of reals, else a sum with its real unit.
  std::string finish_weighted(Node& node, const WeightSpec& w, std::span<const double> bias) {
    const std::string label = node.op + " '" + node.name + "'", name = node.name;
    const Edge in = graph.edges.at(node.inputs[0]);
    const auto channels = static_cast<size_t>(w.shape[0]);
    need(
        bias.empty() || bias.size() == channels,
        label + ": expected " + std::to_string(channels) + " biases, received " + std::to_string(bias.size()),
        ErrorCode::kShape);
    BuiltValue v;
    if (w.encoding == "f32" || in.type == EdgeType::kReal) {
      if (!bias.empty()) {
        const std::vector<float> b(bias.begin(), bias.end());
        attach(node, "bias", store(DType::kF32, {w.shape[0]}, b.data(), b.size()));
      }
      if (w.encoding == "f32") v.float_layer = name;
    } else {
      const double unit = in.type == EdgeType::kPixel ? in.scale : 1.0 / static_cast<double>(in.divisor);
      BuiltTerm term{.edge = name,
                     .is_sum = true,
                     .a = std::vector<double>(channels),
                     .d = std::vector<double>(channels, 0.0)};
      for (size_t c = 0; c < channels; ++c) {
        term.a[c] = w.scale[w.scale.size() == 1 ? 0 : c] * unit;
        if (!bias.empty()) term.d[c] = bias[c];
      }
      v.terms.push_back(std::move(term));
    }
    return finish(node, std::move(v));
  }

  // A sum of spikes, each worth 1.
  std::string finish_counted(Node& node) {
    const std::string name = node.name;
    const auto channels = static_cast<size_t>(infer(node).channels());
    BuiltValue v;
    v.edge = name;
    v.terms.push_back({.edge = name,
                       .is_sum = true,
                       .a = std::vector<double>(channels, 1.0),
                       .d = std::vector<double>(channels, 0.0)});
    values[name] = std::move(v);
    return name;
  }

  // A delay that was added before what it reads: that must be there now, and nothing between.
  void check_read_back(const Node& node) const {
    if (node.op != "delay") return;
    const std::string label = "delay '" + node.name + "'";
    const std::string& x = plain(label, node.inputs[0]);
    need(x == node.inputs[0] && (values.at(node.name).flattened == values.at(x).flattened),
         label + ": '" + x + "' is a flattened image: delay it before flatten", ErrorCode::kUnsupported);
  }

  std::vector<BuiltTerm> current_terms(const std::string& layer, const std::string& x) const {
    const BuiltValue& v = value(layer, x);
    if (v.terms.empty()) {
      need(false,
           layer + ": the neuron needs a conv2d or linear before it, '" + x + "' is " +
               ops::edge_dtype(graph.edges.at(v.edge)),
           ErrorCode::kUnsupported);
    }
    return v.terms;
  }
};

}  // namespace snncore
