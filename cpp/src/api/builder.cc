#include <snncore/builder.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "api/built_value.h"
#include "api/made_tensors.h"
#include "api/rule_neuron.h"
#include "api/streams.h"
#include "api/weight_tensors.h"
#include "base/checked.h"
#include "format/model_impl.h"
#include "format/snn.h"
#include "graph/graph.h"
#include "graph/neuron_constants.h"
#include "neurons/neuron.h"
#include "ops/bounds.h"

namespace snncore {
namespace {

using ops::Attr;
using ops::Edge;
using ops::EdgeType;
using ops::Node;

std::vector<int64_t> list(std::span<const int64_t> values) { return {values.begin(), values.end()}; }

void need(bool ok, const std::string& message, ErrorCode code = ErrorCode::kInvalidArgument) {
  require(ok, code, message);
}

// [C], or a row of so many channels for each step.
tensor::Tensor of_steps(std::span<const int32_t> factors, int64_t channels) {
  const auto count = static_cast<int64_t>(factors.size());
  const bool rows = count > channels && count % channels == 0;
  return store(DType::kI32, rows ? Shape{count / channels, channels} : Shape{count}, factors.data(),
               factors.size());
}

}  // namespace

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

GraphBuilder::GraphBuilder() : impl_(std::make_unique<Impl>()) {}
GraphBuilder::~GraphBuilder() = default;
GraphBuilder::GraphBuilder(GraphBuilder&&) noexcept = default;
GraphBuilder& GraphBuilder::operator=(GraphBuilder&&) noexcept = default;

namespace {
// "count4" is a count of 0..15; 0 for any other dtype. ("u8" is taken: it means pixels.)
int64_t greatest_count(const std::string& dtype) {
  for (int bits = 2; bits <= 16; ++bits) {
    if (dtype == "count" + std::to_string(bits)) return (int64_t{1} << bits) - 1;
  }
  return 0;
}
}  // namespace

std::string GraphBuilder::input(const std::string& name, const std::string& dtype, const Shape& shape,
                                std::span<const int64_t> zero_point, double scale,
                                const std::string& layout) {
  const std::string label = "input '" + name + "'";
  need(!name.empty() && !impl_->values.contains(name), label + ": the name is empty or taken");
  need(shape.size() == 3 || shape.size() == 1,
       label + ": expected shape [C, H, W] or [F], received " + shape_string(shape), ErrorCode::kShape);
  const int64_t most = greatest_count(dtype);
  need(dtype == "u8" || dtype == "b1" || dtype == "f32" || most > 0,
       label + ": dtype must be u8, b1, f32 or count2 to count16, received '" + dtype + "'");
  Edge e;
  e.type = dtype == "u8"   ? EdgeType::kPixel
           : dtype == "b1" ? EdgeType::kSpike
           : most > 0      ? EdgeType::kCount
                           : EdgeType::kReal;
  e.shape = shape.size() == 3 ? Shape{shape[1], shape[2], shape[0]} : shape;
  for (const int64_t axis : e.shape)
    need(axis >= 1, label + ": empty axis in " + shape_string(shape), ErrorCode::kShape);
  e.hi = e.type == EdgeType::kPixel ? 255 : e.type == EdgeType::kSpike ? 1 : most;
  e.zero_point = list(zero_point);
  e.scale = scale;
  const bool pixels = e.type == EdgeType::kPixel || !e.zero_point.empty();
  need(!pixels ||
           (e.type != EdgeType::kSpike && e.type != EdgeType::kCount &&
            static_cast<int64_t>(e.zero_point.size()) == e.channels() && scale > 0 && std::isfinite(scale)),
       label + ": pixels need one zero point for each of " + std::to_string(e.channels()) +
           " channels and a positive scale");
  for (const int64_t z : e.zero_point)
    need(z >= 0 && z <= 255, label + ": zero points are 0..255, received " + std::to_string(z));
  impl_->graph.edges[name] = e;
  impl_->graph.inputs.push_back({name, name, layout.empty() ? (e.is_image() ? "NCHW" : "NC") : layout});
  BuiltValue v;
  v.edge = name;
  impl_->values[name] = std::move(v);
  return name;
}

std::string GraphBuilder::conv2d(const std::string& name, const std::string& x, const WeightSpec& w,
                                 const ConvSpec& spec, std::span<const double> bias) {
  const std::string label = "conv2d '" + name + "'";
  const std::string in = impl_->plain(label, x);
  need(w.shape.size() == 4,
       label + ": expected a weight [C, C_in / groups, kh, kw], received " + shape_string(w.shape),
       ErrorCode::kShape);
  check_elements(label, w);
  Node& node = impl_->emit("conv2d", name, {in},
                           {{"stride", list(spec.stride)},
                            {"padding", list(spec.padding)},
                            {"dilation", list(spec.dilation)},
                            {"groups", spec.groups}});
  try {
    impl_->add_weight(node, w, static_cast<size_t>(w.shape[1]), static_cast<size_t>(w.shape[2] * w.shape[3]),
                      {w.shape[0], w.shape[2], w.shape[3], w.shape[1]});
    return impl_->finish_weighted(node, w, bias);
  } catch (...) {
    impl_->graph.nodes.erase(std::ranges::find(impl_->graph.nodes, name, &Node::name),
                             impl_->graph.nodes.end());
    throw;
  }
}

std::string GraphBuilder::linear(const std::string& name, const std::string& x, const WeightSpec& w,
                                 std::span<const double> bias) {
  const std::string label = "linear '" + name + "'";
  if (const auto stream = impl_->pooled(label, x)) {
    need(stream->layer.empty(), label + ": '" + x + "' has not been read out over time");
    need(w.shape.size() == 2 && stream->shape == Shape{w.shape[1]},
         label + ": expected a weight [C, F] for " + shape_string(stream->shape) + ", received " +
             shape_string(w.shape),
         ErrorCode::kShape);
    check_elements(label, w);
    need(bias.empty() || bias.size() == static_cast<size_t>(w.shape[0]),
         label + ": expected " + std::to_string(w.shape[0]) + " biases, received " +
             std::to_string(bias.size()),
         ErrorCode::kShape);
    PooledStream p = *stream;
    if (p.pool.empty()) p.pool = name + ".stream";
    p.layer = name;
    p.shape = {w.shape[0]};
    p.weight = weight_tensors(label, w, static_cast<size_t>(w.shape[1]), 1, w.shape);
    p.bias.assign(bias.begin(), bias.end());
    return impl_->hold(name, std::move(p));
  }
  const std::string in = impl_->plain(label, x);
  const Shape flattened = impl_->value(label, x).flattened;
  need(w.shape.size() == 2, label + ": expected a weight [C, F], received " + shape_string(w.shape),
       ErrorCode::kShape);
  check_elements(label, w);
  const Shape& shape = impl_->graph.edges.at(in).shape;
  need(shape.size() == 1 && shape[0] == w.shape[1],
       label + ": weight takes " + std::to_string(w.shape[1]) + " features, '" + x + "' is " +
           shape_string(this->shape(x)),
       ErrorCode::kShape);
  const int64_t positions = flattened.empty() ? 1 : flattened[0] * flattened[1];
  Node& node = impl_->emit("linear", name, {in}, {});
  try {
    impl_->add_weight(node, w, static_cast<size_t>(w.shape[1] / positions), static_cast<size_t>(positions),
                      w.shape);
    return impl_->finish_weighted(node, w, bias);
  } catch (...) {
    impl_->graph.nodes.erase(std::ranges::find(impl_->graph.nodes, name, &Node::name),
                             impl_->graph.nodes.end());
    throw;
  }
}

std::string GraphBuilder::batch_norm(const std::string& name, const std::string& x,
                                     std::span<const double> gamma, std::span<const double> beta,
                                     std::span<const double> mean, std::span<const double> var, double eps) {
  const std::string label = "batch_norm '" + name + "'";
  need(!name.empty() && !impl_->values.contains(name), label + ": the name is empty or taken");
  BuiltValue v = impl_->value(label, x);
  const bool coded = v.terms.size() == 1 && v.terms[0].is_sum;
  need(coded || !v.float_layer.empty(), label + ": a batch norm must follow a conv2d or linear",
       ErrorCode::kUnsupported);
  need(!coded || v.terms[0].gain.empty(),
       label + ": '" + x + "' went through step_gain: a neuron must come next", ErrorCode::kUnsupported);
  const auto channels =
      static_cast<size_t>(impl_->graph.edges.at(coded ? v.terms[0].edge : v.edge).channels());
  for (const auto& part : {gamma, beta, mean, var}) {
    need(part.size() == channels,
         label + ": expected " + std::to_string(channels) + " channels, received " +
             std::to_string(part.size()),
         ErrorCode::kShape);
  }
  std::vector<double> g(channels), shift(channels);
  for (size_t c = 0; c < channels; ++c) {
    need(var[c] >= 0 && var[c] + eps > 0,
         label + ": variance of channel " + std::to_string(c) + " is negative or not a number");
    g[c] = gamma[c] / std::sqrt(var[c] + eps);
    shift[c] = beta[c] - g[c] * mean[c];
  }
  if (coded) {
    for (size_t c = 0; c < channels; ++c) {
      v.terms[0].a[c] *= g[c];
      v.terms[0].d[c] = g[c] * v.terms[0].d[c] + shift[c];
    }
    v.affine = true;
  } else {
    need(graph::readers(impl_->graph, v.edge) == 0, label + ": '" + x + "' has other readers",
         ErrorCode::kUnsupported);
    fold_float(impl_->graph, graph::find_node(impl_->graph, v.float_layer), g, shift);
    impl_->values.at(x).folded = true;
  }
  impl_->values[name] = std::move(v);
  return name;
}

std::string GraphBuilder::step_gain(const std::string& name, const std::string& x,
                                    std::span<const double> gain) {
  const std::string label = "step_gain '" + name + "'";
  need(!name.empty() && !impl_->values.contains(name), label + ": the name is empty or taken");
  BuiltValue v = impl_->value(label, x);
  need(!v.terms.empty() && std::ranges::all_of(v.terms, [](const BuiltTerm& t) { return t.is_sum; }),
       label + ": expected sums, '" + x + "' is or holds something else", ErrorCode::kUnsupported);
  need(std::ranges::all_of(v.terms, [](const BuiltTerm& t) { return t.gain.empty(); }),
       label + ": '" + x + "' went through step_gain already", ErrorCode::kUnsupported);
  const size_t channels = v.terms[0].a.size();
  need(!gain.empty() && gain.size() % channels == 0,
       label + ": expected [T, " + std::to_string(channels) + "] factors, received " +
           std::to_string(gain.size()),
       ErrorCode::kShape);
  for (const double g : gain) {
    need(g >= 0 && std::isfinite(g),
         label + ": factors must be finite and at least 0, received " + std::to_string(g));
  }
  for (BuiltTerm& term : v.terms) term.gain.assign(gain.begin(), gain.end());
  v.affine = true;
  impl_->values[name] = std::move(v);
  return name;
}

std::string GraphBuilder::lif(const std::string& name, const std::string& x, const NeuronSpec& spec) {
  const std::string op = spec.decay == 1.0 ? "if" : "lif", label = op + " '" + name + "'";
  const BuiltValue& v = impl_->value(label, x);
  need(spec.decay >= 0 && spec.decay <= 1,
       label + ": decay must be 0..1, received " + std::to_string(spec.decay));
  if (v.terms.empty() && impl_->graph.edges.at(v.edge).type == EdgeType::kReal) {
    Node& node = impl_->emit(op, name, {v.edge},
                             {{"arith", std::string("f32")},
                              {"decay", spec.decay},
                              {"input_gain", spec.input_gain},
                              {"threshold", spec.threshold},
                              {"reset", spec.reset},
                              {"strict", spec.strict}});
    BuiltValue spikes;
    spikes.flattened = v.flattened;
    return impl_->finish(node, std::move(spikes));
  }
  PendingNeuron p{
      .name = name, .requant = name + ".current", .terms = impl_->current_terms(label, x), .spec = spec};
  std::vector<std::string> inputs;
  for (const BuiltTerm& term : p.terms) {
    inputs.push_back(term.edge);
    if (term.stream) impl_->units.settle(*term.stream, spec.threshold / 4096);
  }
  const Shape shape = impl_->graph.edges.at(inputs[0]).shape;
  need(!impl_->values.contains(name) && !impl_->graph.edges.contains(name),
       label + ": the name is empty or taken");
  impl_->emit("requant", p.requant, std::move(inputs), {});
  impl_->emit(op, name, {p.requant}, {});
  Edge spikes, current;
  current.type = EdgeType::kCurrent;
  spikes.type = EdgeType::kSpike;
  spikes.hi = 1;
  spikes.shape = current.shape = shape;
  impl_->graph.edges[p.requant] = current;
  impl_->graph.edges[name] = spikes;
  impl_->neurons.push_back(std::move(p));
  BuiltValue out;
  out.edge = name;
  impl_->values[name] = std::move(out);
  return name;
}

std::string GraphBuilder::lif_int(const std::string& name, const std::string& x, const IntNeuronSpec& s) {
  const std::string op = s.leak == "none" && s.decay == 1.0 ? "if" : "lif", label = op + " '" + name + "'";
  const std::string in = impl_->edge(label, x);
  Node& node = impl_->emit(op, name, {in},
                           {{"arith", std::string("int")},
                            {"profile", s.profile},
                            {"state", s.state},
                            {"leak", s.leak},
                            {"leak_param", s.leak_param},
                            {"reset", s.reset},
                            {"leak_at_store", s.leak_at_store},
                            {"unit_bits", s.unit_bits},
                            {"decay", s.decay},
                            {"threshold", s.threshold},
                            {"input_gain", s.input_gain},
                            {"strict", s.strict}});
  const int64_t channels = impl_->graph.edges.at(in).channels();
  const auto size = static_cast<int64_t>(s.theta.size());
  const bool rows = (s.profile == "X" || s.profile == "T") && size % channels == 0;
  const Shape shape = rows ? Shape{size / channels, channels} : Shape{size};
  impl_->attach(node, "theta", store(DType::kI32, shape, s.theta.data(), s.theta.size()));
  if (!s.gamma.empty()) {
    const auto gammas = static_cast<int64_t>(s.gamma.size());
    const Shape table = gammas % channels == 0 ? Shape{gammas / channels, channels} : Shape{gammas};
    impl_->attach(node, "gamma", store(DType::kI32, table, s.gamma.data(), s.gamma.size()));
  }
  for (const auto& [role, values] :
       {std::pair{"psi", s.psi}, std::pair{"load", s.load}, std::pair{"edges", s.edges}}) {
    if (values.empty()) continue;
    const Shape row{static_cast<int64_t>(values.size())};
    impl_->attach(node, role, store(DType::kI32, row, values.data(), values.size()));
  }
  return impl_->finish(node);
}

std::string GraphBuilder::neuron(const std::string& name, const std::string& x, const RuleNeuronSpec& spec) {
  const std::string label = "neuron '" + name + "'";
  const std::string in = impl_->counted(label, x) ? impl_->edge(label, x) : impl_->plain(label, x);
  const Shape flattened = impl_->value(label, x).flattened;
  const Edge from = impl_->graph.edges.at(in);
  std::map<std::string, tensor::Tensor> made;
  Node probe{.name = name, .op = "neuron", .attrs = rule_attrs(spec)};
  const auto rule = neurons::neuron_rule({.node = probe, .inputs = {}, .tensors = {}});
  for (const auto& [role, value] : spec.values) {
    need(std::ranges::count(neurons::neuron_roles(), role) > 0,
         label + ": there is no parameter '" + role + "'");
    Shape shape;
    const auto values = in_file_order(label, role, value, from, flattened, &shape);
    const bool told = role == "rate" || role == "threshold" || role == "drop";
    const bool usual =
        std::ranges::all_of(values, [&](float v) { return v == neurons::default_value(role); });
    if (!neurons::uses_value(rule, role) || (usual && !told)) continue;
    made[role] = store(DType::kF32, shape, values.data(), values.size());
  }
  Node& node = impl_->emit("neuron", name, {in}, rule_attrs(spec));
  for (auto& [role, t] : made) impl_->attach(node, role, std::move(t));
  BuiltValue out;
  out.flattened = flattened;
  return impl_->finish(node, std::move(out));
}

std::string GraphBuilder::psn(const std::string& name, const std::string& x, const PsnSpec& spec) {
  const std::string label = "psn '" + name + "'", in = impl_->plain(label, x);
  need(element_count(spec.shape, label) == static_cast<int64_t>(spec.weight.size()),
       label + ": weight of shape " + shape_string(spec.shape) + " has " +
           std::to_string(spec.weight.size()) + " elements",
       ErrorCode::kShape);
  BuiltValue out;
  out.flattened = impl_->value(label, x).flattened;
  Node& node = impl_->emit("psn", name, {in}, {});
  const Shape biases{static_cast<int64_t>(spec.bias.size())};
  impl_->attach(node, "weight", store(DType::kF32, spec.shape, spec.weight.data(), spec.weight.size()));
  impl_->attach(node, "bias", store(DType::kF32, biases, spec.bias.data(), spec.bias.size()));
  return impl_->finish(node, std::move(out));
}

std::string GraphBuilder::cuba_lif(const std::string& name, const std::string& x, const CubaNeuronSpec& s) {
  const std::string in = impl_->edge("cuba_lif '" + name + "'", x);
  Node& node =
      impl_->emit("cuba_lif", name, {in},
                  {{"current_decay", s.current_decay}, {"decay", s.decay}, {"input_shift", s.input_shift}});
  impl_->attach(node, "theta", ints({s.theta.begin(), s.theta.end()}));
  impl_->attach(node, "bias", ints({s.bias.begin(), s.bias.end()}));
  return impl_->finish(node);
}

std::string GraphBuilder::requant(const std::string& name, const std::vector<std::string>& inputs,
                                  const std::vector<std::vector<int32_t>>& factors,
                                  std::span<const int32_t> c, std::span<const int32_t> n, bool wide) {
  return impl_->finish(impl_->emit_factors("requant", name, inputs, {{"wide", wide}}, factors, c, n));
}

std::string GraphBuilder::residual(const std::string& name, const std::string& x, const std::string& stream,
                                   double unit) {
  const std::string label = "residual '" + name + "'";
  std::vector<std::string> streams;
  size_t own = impl_->units.add(0);
  if (unit != 0) impl_->units.demand(label, own, unit);
  if (!stream.empty()) {
    impl_->units.join(label, own, impl_->stream_like(label, stream, shape(stream), x, shape(x)));
    streams.push_back(stream);
  }
  return impl_->write_stream(label, name, x, std::move(streams), own);
}

std::string GraphBuilder::couple(const std::string& name, const std::string& x, const std::string& before,
                                 const std::string& now) {
  const std::string label = "couple '" + name + "'";
  const auto real = [&](const std::string& in) {
    const BuiltValue& v = impl_->any_value(label, in);
    return v.terms.empty() && v.pooled == nullptr && impl_->graph.edges.at(v.edge).type == EdgeType::kReal;
  };
  if (real(x) && real(before) && real(now)) {
    BuiltValue v;
    v.flattened = impl_->value(label, x).flattened;
    const std::vector<std::string> edges{impl_->plain(label, x), impl_->plain(label, before),
                                         impl_->plain(label, now)};
    return impl_->finish(impl_->emit("couple", name, edges, {}), std::move(v));
  }
  if (before == now) return residual(name, x, now);
  const auto c = impl_->units.couple(label, impl_->stream_like(label, before, shape(before), x, shape(x)),
                                     impl_->stream_like(label, now, shape(now), x, shape(x)));
  std::vector<std::string> streams(c.before_times, before);
  streams.insert(streams.end(), c.now_times, now);
  return impl_->write_stream(label, name, x, std::move(streams), c.stream);
}

std::string GraphBuilder::residual_int(const std::string& name, const std::vector<std::string>& inputs,
                                       const std::vector<std::vector<int32_t>>& factors,
                                       std::span<const int32_t> c, std::span<const int32_t> n, double unit) {
  Node& node = impl_->emit_factors("residual", name, inputs, {{"unit", unit}}, factors, c, n);
  const Shape like = impl_->infer(node).shape;
  return impl_->put_stream(name, like, impl_->units.add(unit));
}

std::string GraphBuilder::saccade(const std::string& name, const std::string& q, const std::string& k,
                                  const SaccadeSpec& spec) {
  const std::string label = "saccade '" + name + "'";
  std::vector<std::string> inputs{impl_->edge(label, q)};
  if (!k.empty()) inputs.push_back(impl_->edge(label, k));
  const auto steps = static_cast<int64_t>(spec.threshold.size());
  need(spec.mix.empty() || static_cast<int64_t>(spec.mix.size()) == steps * steps,
       label + ": expected mix [" + std::to_string(steps) + ", " + std::to_string(steps) + "], received " +
           std::to_string(spec.mix.size()) + " numbers",
       ErrorCode::kShape);
  need(steps > 0, label + ": threshold is empty", ErrorCode::kShape);
  Node& node = impl_->emit("saccade", name, std::move(inputs), {{"mode", spec.mode}});
  impl_->attach(node, "threshold", doubles(spec.threshold));
  if (!spec.mix.empty())
    impl_->attach(node, "mix", store(DType::kF64, {steps, steps}, spec.mix.data(), spec.mix.size()));
  return impl_->finish(node);
}

std::string GraphBuilder::maxpool2d(const std::string& name, const std::string& x, const PoolSpec& s) {
  const std::string in = impl_->plain("maxpool2d '" + name + "'", x);
  return impl_->finish(
      impl_->emit("maxpool2d", name, {in},
                  {{"kernel", list(s.kernel)}, {"stride", list(s.stride)}, {"padding", list(s.padding)}}));
}

std::string GraphBuilder::avgpool2d(const std::string& name, const std::string& x, const PoolSpec& s) {
  const std::string label = "avgpool2d '" + name + "'";
  if (const BuiltValue& v = impl_->value(label, x); v.terms.size() == 1 && is_pure_stream(v.terms[0])) {
    const Edge& edge = impl_->graph.edges.at(v.terms[0].edge);
    const bool whole = edge.is_image() && s.kernel[0] == edge.shape[0] && s.kernel[1] == edge.shape[1] &&
                       std::ranges::all_of(s.padding, [](int64_t p) { return p == 0; });
    need(whole,
         label + ": of a stream only the mean of the whole image can be taken, '" + x + "' is " +
             shape_string(shape(x)),
         ErrorCode::kUnsupported);
    return impl_->hold(name, {.edge = v.terms[0].edge,
                              .stream = *v.terms[0].stream,
                              .share = 1.0 / static_cast<double>(edge.pixels()),
                              .shape = {edge.channels(), 1, 1},
                              .pool = name});
  }
  const std::string in = impl_->plain(label, x);
  return impl_->finish(
      impl_->emit("avgpool2d", name, {in},
                  {{"kernel", list(s.kernel)}, {"stride", list(s.stride)}, {"padding", list(s.padding)}}));
}

std::string GraphBuilder::add(const std::string& name, const std::vector<std::string>& inputs) {
  const std::string label = "add '" + name + "'";
  need(inputs.size() >= 2,
       label + ": expected two or more inputs, received " + std::to_string(inputs.size()));
  bool coded = false;
  for (const std::string& in : inputs) {
    coded = coded || !impl_->value(label, in).terms.empty();
    need(shape(in) == shape(inputs[0]),
         label + ": '" + inputs[0] + "' is " + shape_string(shape(inputs[0])) + ", '" + in + "' is " +
             shape_string(shape(in)),
         ErrorCode::kShape);
  }
  if (!coded) {
    std::vector<std::string> edges;
    for (const std::string& in : inputs) edges.push_back(impl_->plain(label, in));
    BuiltValue v;
    v.flattened = impl_->value(label, inputs[0]).flattened;
    return impl_->finish(impl_->emit("add", name, edges, {}), std::move(v));
  }
  need(!name.empty() && !impl_->values.contains(name), label + ": the name is empty or taken");
  BuiltValue v;
  v.affine = true;
  for (const std::string& in : inputs) {
    const BuiltValue& part = impl_->value(label, in);
    if (!part.terms.empty()) {
      v.terms.insert(v.terms.end(), part.terms.begin(), part.terms.end());
      continue;
    }
    const EdgeType type = impl_->graph.edges.at(part.edge).type;
    need(type == EdgeType::kSpike || type == EdgeType::kCount,
         label + ": cannot add '" + in + "' (" + ops::edge_dtype(impl_->graph.edges.at(part.edge)) +
             ") to an integer sum",
         ErrorCode::kUnsupported);
    v.terms.push_back({.edge = part.edge, .is_sum = false, .a = {}, .d = {}});
  }
  impl_->values[name] = std::move(v);
  return name;
}

std::string GraphBuilder::flatten(const std::string& name, const std::string& x) {
  if (const auto& stream = impl_->any_value("flatten '" + name + "'", x).pooled) {
    need(stream->shape.size() == 3,
         "flatten '" + name + "': expected an image, '" + x + "' is " + shape_string(stream->shape),
         ErrorCode::kShape);
    PooledStream p = *stream;
    p.shape = {p.shape[0]};
    return impl_->hold(name, std::move(p));
  }
  const std::string in = impl_->plain("flatten '" + name + "'", x);
  BuiltValue v;
  v.flattened = impl_->graph.edges.at(in).shape;
  return impl_->finish(impl_->emit("flatten", name, {in}, {}), std::move(v));
}

std::string GraphBuilder::delay(const std::string& name, const std::string& x, int64_t steps,
                                const Shape& shape, const std::string& dtype) {
  const std::string label = "delay '" + name + "'";
  if (shape.empty()) {
    const std::string in = impl_->plain(label, x);
    BuiltValue v;
    v.flattened = impl_->value(label, x).flattened;
    return impl_->finish(impl_->emit("delay", name, {in}, {{"steps", steps}}), std::move(v));
  }
  need(!impl_->values.contains(x), label + ": '" + x + "' exists, so its shape is known");
  need(shape.size() == 3 || shape.size() == 1,
       label + ": expected shape [C, H, W] or [F], received " + shape_string(shape), ErrorCode::kShape);
  need(dtype == "b1" || dtype == "f32", label + ": dtype must be b1 or f32, received '" + dtype + "'");
  Edge e;
  e.type = dtype == "b1" ? EdgeType::kSpike : EdgeType::kReal;
  e.shape = shape.size() == 3 ? Shape{shape[1], shape[2], shape[0]} : shape;
  e.hi = dtype == "b1" ? 1 : 0;
  graph::Graph& g = impl_->graph;
  Node& node = impl_->emit("delay", name, {x}, {{"steps", steps}});
  g.edges[x] = e;  // what the definition reads; the value itself comes later
  try {
    const std::string made = impl_->finish(node);
    g.edges.erase(x);
    return made;
  } catch (...) {
    g.edges.erase(x);
    throw;
  }
}

std::string GraphBuilder::attention(const std::string& name, const std::string& q, const std::string& k,
                                    const std::string& v, int64_t heads) {
  const std::string label = "attention '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, q), impl_->plain(label, k),
                                        impl_->plain(label, v)};
  return impl_->finish_counted(impl_->emit("attention", name, inputs, {{"heads", heads}}));
}

std::string GraphBuilder::map_scores(const std::string& name, const std::string& x, const std::string& y,
                                     const std::string& variant, int64_t heads) {
  const std::string label = "map_scores '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, x), impl_->plain(label, y)};
  return impl_->finish_counted(
      impl_->emit("map_scores", name, inputs, {{"variant", variant}, {"heads", heads}}));
}

std::string GraphBuilder::map_product(const std::string& name, const std::string& map, const std::string& x,
                                      const std::string& variant, int64_t heads) {
  const std::string label = "map_product '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, map), impl_->plain(label, x)};
  return impl_->finish_counted(
      impl_->emit("map_product", name, inputs, {{"variant", variant}, {"heads", heads}}));
}

std::string GraphBuilder::count(const std::string& name, const std::string& x, const std::string& y,
                                const std::string& over, int64_t heads) {
  const std::string label = "count '" + name + "'";
  std::vector<std::string> inputs{impl_->plain(label, x)};
  if (!y.empty()) inputs.push_back(impl_->plain(label, y));
  return impl_->finish_counted(impl_->emit("count", name, inputs, {{"over", over}, {"heads", heads}}));
}

std::string GraphBuilder::mask(const std::string& name, const std::string& x, const std::string& mask) {
  const std::string label = "mask '" + name + "'";
  const std::vector<std::string> inputs{impl_->plain(label, x), impl_->plain(label, mask)};
  return impl_->finish(impl_->emit("mask", name, inputs, {}));
}

std::string GraphBuilder::readout(const std::string& name, const std::string& x, const std::string& mode,
                                  std::span<const double> scale, std::span<const double> bias) {
  const std::string label = "readout '" + name + "'";
  if (const auto stream = scale.empty() && bias.empty() ? impl_->pooled(label, x) : nullptr) {
    need(stream->shape.size() == 1,
         label + ": expected a vector, '" + x + "' is " + shape_string(stream->shape) + ": flatten it first",
         ErrorCode::kShape);
    need(!name.empty() && !impl_->values.contains(name), label + ": the name is empty or taken");
    return stream->layer.empty() ? impl_->read_stream(name, *stream, mode)
                                 : impl_->read_head(name, *stream, mode);
  }
  const BuiltValue& v = impl_->value(label, x);
  need(v.terms.size() <= 1, label + ": '" + x + "' is a sum of several layers", ErrorCode::kUnsupported);
  need(v.terms.empty() || v.terms[0].gain.empty(),
       label + ": '" + x + "' went through step_gain: a neuron must come next", ErrorCode::kUnsupported);
  const std::string in = v.terms.empty() ? v.edge : v.terms[0].edge;
  const Edge& edge = impl_->graph.edges.at(in);
  need(edge.shape.size() == 1 || edge.type == EdgeType::kStream,
       label + ": expected a vector, '" + x + "' is " + shape_string(shape(x)) + ": flatten it first",
       ErrorCode::kShape);
  PendingReadout p{.name = name, .scale = {scale.begin(), scale.end()}, .bias = {bias.begin(), bias.end()}};
  if (p.scale.empty())
    p.scale = v.terms.empty() ? std::vector<double>{1.0 / static_cast<double>(edge.divisor)} : v.terms[0].a;
  if (p.bias.empty())
    p.bias = v.terms.empty() ? std::vector<double>(static_cast<size_t>(edge.channels()), 0.0) : v.terms[0].d;
  const bool real = edge.type == EdgeType::kReal;
  need(!real || (scale.empty() && bias.empty()), label + ": scale and bias are for integer inputs");
  if (!v.flattened.empty() && !real) {  // users see C, H, W; files hold H, W, C
    const auto channels = static_cast<size_t>(v.flattened[2]);
    const auto positions = static_cast<size_t>(v.flattened[0] * v.flattened[1]);
    for (std::vector<double>* values : {&p.scale, &p.bias}) {
      if (values->size() == channels * positions)
        *values = channels_last<double>(*values, 1, channels, positions);
    }
  }
  Node& node = impl_->emit("readout", name, {in}, {{"mode", mode}});
  if (!real) complete(impl_->graph, p);
  BuiltValue out;
  out.flattened = v.flattened;
  return impl_->finish(node, std::move(out));
}

void GraphBuilder::output(const std::string& name, const std::string& edge) {
  const std::string in = impl_->edge("output '" + name + "'", edge);
  impl_->graph.outputs.push_back({name, in, ""});
}

Shape GraphBuilder::shape(const std::string& edge) const {
  const BuiltValue& v = impl_->any_value("shape", edge);
  if (v.pooled != nullptr) return v.pooled->shape;
  const Shape& s = impl_->graph.edges.at(v.terms.empty() ? v.edge : v.terms[0].edge).shape;
  return s.size() == 3 ? Shape{s[2], s[0], s[1]} : s;
}

Model GraphBuilder::build(int64_t timesteps, const std::vector<std::string>& labels,
                          const std::optional<PreprocessInfo>& preprocess,
                          const std::map<std::string, std::string>& provenance) {
  auto model = std::make_shared<Model::Impl>();
  graph::Graph& g = model->graph;
  g = impl_->graph;
  g.timesteps = timesteps;
  g.labels = labels;
  if (preprocess) {
    g.has_preprocess = true;
    g.preprocess = {preprocess->height, preprocess->width, preprocess->crop, preprocess->color};
  }
  g.provenance = provenance;
  g.provenance.try_emplace("producer", std::string("snncore ") + version());
  need(!g.outputs.empty(), "a model needs an output: call output(name, edge)");
  for (const Node& node : g.nodes) impl_->check_read_back(node);
  try {
    for (const PendingResidual& p : impl_->residuals) complete(g, p, impl_->units);
    for (const PendingNeuron& p : impl_->neurons) complete(g, p, timesteps, impl_->units);
    for (PendingReadout p : impl_->readouts) {
      for (double& s : p.scale) s *= impl_->units.of(*p.stream);
      complete(g, p);
    }
    graph::infer_edges(g);
    model->file_bytes = format::write_bytes(g).size();  // which checks all of it
  } catch (const Error& e) {                            // what would be a bad file is a bad argument here
    throw Error(e.code() == ErrorCode::kFormat ? ErrorCode::kInvalidArgument : e.code(), e.what());
  }
  return Model(std::move(model));
}

}  // namespace snncore
