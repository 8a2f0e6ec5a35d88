// Neurons.

#include "api/builder_impl.h"
#include "graph/neuron_constants.h"
#include "neurons/neuron.h"

namespace snncore {

std::string GraphBuilder::lif(const std::string& name, const std::string& x, const NeuronSpec& spec) {
  const std::string op = spec.decay == 1.0 ? "if" : "lif", label = op + " '" + name + "'";
  const BuiltValue& v = impl_->value(label, x);
  need(spec.decay >= 0 && spec.decay <= 1,
       label + ": decay must be 0..1, received " + std::to_string(spec.decay));
  graph::check_words(label, spec);
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

}  // namespace snncore
