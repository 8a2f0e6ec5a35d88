// Currents and streams: requantised, written, coupled and read.
#include <cmath>

#include "api/builder_impl.h"

namespace snncore {

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

}  // namespace snncore
