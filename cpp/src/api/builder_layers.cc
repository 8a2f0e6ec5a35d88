// Layers of weights, pools, and what joins, flattens or delays.
#include <cmath>

#include "api/builder_impl.h"

namespace snncore {

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

}  // namespace snncore
