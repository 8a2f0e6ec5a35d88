// The integer constants of neurons, streams and readouts, once the number of steps is known.
#include <algorithm>
#include <cmath>

#include "api/built_value.h"
#include "api/made_tensors.h"
#include "api/streams.h"
#include "base/checked.h"
#include "graph/neuron_constants.h"
#include "graph/stream_constants.h"
#include "ops/bounds.h"

namespace snncore {
namespace {

using ops::Edge;
using ops::Node;

tensor::Tensor* weight_of(graph::Graph& g, const std::string& sum_edge) {
  const Node* node = graph::producer(g, sum_edge);
  return &g.tensors.at(node->tensors.at("weight"));
}

// Negative scales become positive by negating the codes of their channels: odd q -> -1 - q, sym q -> -q.
void make_positive(graph::Graph& g, BuiltTerm& term, const std::string& layer, size_t readers) {
  if (std::ranges::none_of(term.a, [](double a) { return a < 0; })) return;
  require(readers == 1, ErrorCode::kUnsupported,
          layer + ": '" + term.edge + "' has a negative scale and several readers");
  const Node& counting = *graph::producer(g, term.edge);
  require(counting.tensors.contains("weight"), ErrorCode::kUnsupported,
          layer + ": " + counting.op + " '" + counting.name +
              "' gets a negative scale, which only weights can take up: expected positive ones");
  tensor::Tensor& w = *weight_of(g, term.edge);
  const auto count = static_cast<size_t>(element_count(w.logical, layer));
  const size_t row = count / term.a.size();
  std::vector<int8_t> codes(count);
  for (size_t i = 0; i < count; ++i) {
    const int32_t q = tensor::code_at(w, i);
    const int32_t negated = w.encoding == tensor::Encoding::kOdd ? -1 - q : -q;
    codes[i] = static_cast<int8_t>(term.a[i / row] < 0 ? negated : q);
  }
  w = tensor::encode_weight(codes.data(), w.logical, w.bits, w.encoding, layer);
  for (double& a : term.a) a = std::fabs(a);
}

void put(graph::Graph& g, Node& node, const std::string& role, tensor::Tensor t) {
  node.tensors[role] = node.name + "." + role;
  g.tensors[node.name + "." + role] = std::move(t);
}

// A stream may hold any int32.
graph::CurrentTerm stream_term(const BuiltTerm& term, const std::string& layer, double unit) {
  graph::CurrentTerm t{
      .is_sum = true, .is_stream = true, .a = term.a, .d = term.d, .a_max = {}, .gain = term.gain};
  require(std::ranges::all_of(t.a, [](double a) { return a >= 0; }), ErrorCode::kUnsupported,
          layer + ": stream '" + term.edge + "' comes with a negative scale, which has no integer form");
  for (double& a : t.a) a *= unit;
  t.a_max.assign(t.a.size(), int64_t{1} << 31);
  return t;
}

std::vector<graph::CurrentTerm> current_terms(graph::Graph& g, const std::vector<BuiltTerm>& built,
                                              const std::string& layer, const StreamUnits& units) {
  std::vector<graph::CurrentTerm> terms;
  for (BuiltTerm term : built) {
    const Edge& edge = g.edges.at(term.edge);
    if (term.stream) {
      terms.push_back(stream_term(term, layer, units.of(*term.stream)));
      continue;
    }
    if (!term.is_sum) {
      terms.push_back({.is_sum = false,
                       .a = {},
                       .d = {},
                       .a_max = {},
                       .gain = {},
                       .unit = 1.0 / static_cast<double>(edge.divisor),
                       .most = edge.hi});
      continue;
    }
    make_positive(g, term, layer, graph::readers(g, term.edge));
    auto a_max = ops::accumulator_bounds(graph::view(g, *graph::producer(g, term.edge)));
    terms.push_back({.is_sum = true,
                     .a = std::move(term.a),
                     .d = std::move(term.d),
                     .a_max = std::move(a_max),
                     .gain = std::move(term.gain)});
  }
  return terms;
}

tensor::Tensor table(const std::vector<int32_t>& rows, size_t channels) {
  tensor::Tensor t = ints(rows);
  t.shape = {static_cast<int64_t>(rows.size() / channels), static_cast<int64_t>(channels)};
  return t;
}

void put_requant(graph::Graph& g, Node& node, const std::vector<graph::CurrentTerm>& terms,
                 const std::vector<std::vector<int32_t>>& factors, const std::vector<int32_t>& c,
                 const std::vector<int32_t>& n) {
  const size_t channels = n.size();
  const bool each_step = c.size() != channels;
  for (size_t j = 0; j < terms.size(); ++j) {
    const bool sum = terms[j].is_sum;
    put(g, node, (sum ? "M." : "K.") + std::to_string(j),
        each_step && sum ? table(factors[j], channels) : ints(factors[j]));
  }
  const bool alike = std::equal(c.begin() + static_cast<std::ptrdiff_t>(channels), c.end(), c.begin());
  put(g, node, "C",
      alike ? ints({c.begin(), c.begin() + static_cast<std::ptrdiff_t>(channels)}) : table(c, channels));
  put(g, node, "n", ints(n));
}

}  // namespace

void complete(graph::Graph& g, const PendingResidual& p, const StreamUnits& units) {
  const std::string layer = "residual '" + p.name + "'";
  const auto terms = current_terms(g, p.terms, p.name, units);
  const auto channels = static_cast<size_t>(g.edges.at(p.name).channels());
  const double unit = units.of(p.stream);
  const auto k = graph::stream_constants(layer, terms, channels, unit);
  Node& node = graph::find_node(g, p.name);
  node.attrs["unit"] = unit;
  put_requant(g, node, terms, k.factors, k.c, k.n);
}

void complete(graph::Graph& g, const PendingNeuron& p, int64_t steps, const StreamUnits& units) {
  const auto terms = current_terms(g, p.terms, p.name, units);
  const auto k = graph::neuron_constants("lif '" + p.name + "'", terms, p.spec, steps);

  Node& requant = graph::find_node(g, p.requant);
  requant.attrs["wide"] = k.wide;
  put_requant(g, requant, terms, k.factors, k.c, k.n);

  Node& neuron = graph::find_node(g, p.name);
  neuron.attrs = {{"arith", std::string("int")},
                  {"profile", k.profile},
                  {"state", k.state},
                  {"leak", k.leak},
                  {"leak_param", k.leak_param},
                  {"reset", p.spec.reset},
                  {"leak_at_store", p.spec.leak_at_store},
                  {"unit_bits", k.unit_bits},
                  {"decay", p.spec.decay},
                  {"threshold", p.spec.threshold},
                  {"input_gain", p.spec.input_gain},
                  {"strict", p.spec.strict}};
  const size_t channels = k.n.size();
  put(g, neuron, "theta", k.profile == "X" || k.profile == "T" ? table(k.theta, channels) : ints(k.theta));
  if (!k.psi.empty()) put(g, neuron, "psi", ints(k.psi));
  if (!k.load.empty()) put(g, neuron, "load", ints(k.load));
  if (!k.gamma.empty()) put(g, neuron, "gamma", table(k.gamma, channels));
  if (!k.edges.empty()) put(g, neuron, "edges", ints(k.edges));
}

void complete(graph::Graph& g, const PendingReadout& p) {
  Node& node = graph::find_node(g, p.name);
  const bool one = std::ranges::all_of(p.scale, [&](double s) { return s == p.scale[0]; });
  put(g, node, "scale", doubles(std::span(p.scale).first(one ? 1 : p.scale.size())));
  put(g, node, "bias", doubles(p.bias));
}

}  // namespace snncore
