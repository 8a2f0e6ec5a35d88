#include <snncore/builder.h>

#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

using Name = const std::string&;
using Doubles = std::optional<Vector<double>>;
using WeightArray = std::variant<Array<int8_t>, Array<float>>;
using Pair = std::array<int64_t, 2>;
using Sides = std::array<int64_t, 4>;

WeightSpec weight_spec(const WeightArray& weight, Name encoding, int bits, const Doubles& scale) {
  WeightSpec spec;
  spec.shape = std::visit([](const auto& w) { return shape_of(w); }, weight);
  spec.encoding = encoding;
  spec.bits = bits;
  spec.scale = span_of(scale);
  if (const auto* codes = std::get_if<Array<int8_t>>(&weight)) {
    spec.codes = span_of(*codes);
  } else {
    spec.values = span_of(std::get<Array<float>>(weight));
  }
  return spec;
}

std::string input(GraphBuilder& b, Name name, Name dtype, const Shape& shape,
                  const std::vector<int64_t>& zero_point, double scale, Name layout) {
  return b.input(name, dtype, shape, zero_point, scale, layout);
}

std::string conv2d(GraphBuilder& b, Name name, Name x, const WeightArray& weight, Name encoding, int bits,
                   const Doubles& scale, const Doubles& bias, Pair stride, Sides padding, Pair dilation,
                   int64_t groups) {
  const ConvSpec spec{.stride = stride, .padding = padding, .dilation = dilation, .groups = groups};
  return b.conv2d(name, x, weight_spec(weight, encoding, bits, scale), spec, span_of(bias));
}

std::string linear(GraphBuilder& b, Name name, Name x, const WeightArray& weight, Name encoding, int bits,
                   const Doubles& scale, const Doubles& bias) {
  return b.linear(name, x, weight_spec(weight, encoding, bits, scale), span_of(bias));
}

std::string batch_norm(GraphBuilder& b, Name name, Name x, const Vector<double>& gamma,
                       const Vector<double>& beta, const Vector<double>& mean, const Vector<double>& var,
                       double eps) {
  return b.batch_norm(name, x, span_of(gamma), span_of(beta), span_of(mean), span_of(var), eps);
}

std::string lif(GraphBuilder& b, Name name, Name x, double decay, double input_gain, double threshold,
                Name reset, bool strict, Name profile, Name state, Name leak, bool leak_at_store,
                int64_t theta0, int64_t unit_bits, Name quantiser, double alpha) {
  NeuronSpec spec;
  spec.decay = decay;
  spec.input_gain = input_gain;
  spec.threshold = threshold;
  spec.reset = reset;
  spec.strict = strict;
  spec.profile = profile;
  spec.state = state;
  spec.leak = leak;
  spec.leak_at_store = leak_at_store;
  spec.theta0 = theta0;
  spec.unit_bits = unit_bits;
  spec.quantiser = quantiser;
  spec.alpha = alpha;
  return b.lif(name, x, spec);
}

std::string lif_int(GraphBuilder& b, Name name, Name x, const Array<int32_t>& theta,
                    const std::optional<Vector<int32_t>>& psi, const std::optional<Vector<int32_t>>& load,
                    const std::optional<Vector<int32_t>>& edges, const std::optional<Array<int32_t>>& gamma,
                    Name profile, Name state, Name leak, int64_t leak_param, Name reset, bool leak_at_store,
                    int64_t unit_bits, double decay, double threshold, double input_gain, bool strict) {
  IntNeuronSpec spec;
  spec.profile = profile;
  spec.state = state;
  spec.leak = leak;
  spec.leak_param = leak_param;
  spec.reset = reset;
  spec.leak_at_store = leak_at_store;
  spec.unit_bits = unit_bits;
  spec.decay = decay;
  spec.threshold = threshold;
  spec.input_gain = input_gain;
  spec.strict = strict;
  spec.theta = span_of(theta);
  spec.psi = span_of(psi);
  spec.load = span_of(load);
  spec.edges = span_of(edges);
  spec.gamma = span_of(gamma);
  return b.lif_int(name, x, spec);
}

std::string cuba_lif(GraphBuilder& b, Name name, Name x, int64_t current_decay, int64_t decay,
                     const Vector<int32_t>& theta, const Vector<int32_t>& bias, int64_t input_shift) {
  return b.cuba_lif(name, x,
                    {.current_decay = current_decay,
                     .decay = decay,
                     .input_shift = input_shift,
                     .theta = span_of(theta),
                     .bias = span_of(bias)});
}

std::string psn(GraphBuilder& b, Name name, Name x, const Array<float>& weight, const Vector<float>& bias) {
  return b.psn(name, x, {.shape = shape_of(weight), .weight = span_of(weight), .bias = span_of(bias)});
}

std::string neuron(GraphBuilder& b, Name name, Name x, Name synapse, Name charge, Name fire, int64_t most,
                   Name voltage, Name reset, Name reset_step, bool correct, Name floor, Name refractory,
                   int64_t refractory_steps, const std::map<std::string, Array<float>>& values) {
  RuleNeuronSpec spec{.synapse = synapse,
                      .charge = charge,
                      .fire = fire,
                      .voltage = voltage,
                      .reset = reset,
                      .reset_step = reset_step,
                      .floor = floor,
                      .refractory = refractory,
                      .correct = correct,
                      .most = most,
                      .refractory_steps = refractory_steps,
                      .values = {}};
  for (const auto& [role, array] : values) spec.values[role] = {shape_of(array), span_of(array)};
  return b.neuron(name, x, spec);
}

std::vector<std::vector<int32_t>> copies(const std::vector<Vector<int32_t>>& factors) {
  std::vector<std::vector<int32_t>> all;
  all.reserve(factors.size());
  for (const auto& factor : factors) all.emplace_back(factor.data(), factor.data() + factor.size());
  return all;
}

std::string step_gain(GraphBuilder& b, Name name, Name x, const Vector<double>& gain) {
  return b.step_gain(name, x, span_of(gain));
}

std::string requant(GraphBuilder& b, Name name, const std::vector<std::string>& inputs,
                    const std::vector<Vector<int32_t>>& factors, const Vector<int32_t>& c,
                    const Vector<int32_t>& n, bool wide) {
  return b.requant(name, inputs, copies(factors), span_of(c), span_of(n), wide);
}

std::string residual_int(GraphBuilder& b, Name name, const std::vector<std::string>& inputs,
                         const std::vector<Vector<int32_t>>& factors, const Vector<int32_t>& c,
                         const Vector<int32_t>& n, double unit) {
  return b.residual_int(name, inputs, copies(factors), span_of(c), span_of(n), unit);
}

std::string saccade(GraphBuilder& b, Name name, Name q, Name k, Name mode, const Vector<double>& threshold,
                    const std::optional<Array<double>>& mix) {
  const SaccadeSpec spec{.mode = mode, .threshold = span_of(threshold), .mix = span_of(mix)};
  return b.saccade(name, q, k, spec);
}

template <std::string (GraphBuilder::*kMethod)(const std::string&, const std::string&, const PoolSpec&)>
std::string pool2d(GraphBuilder& b, Name name, Name x, Pair kernel, Pair stride, Sides padding) {
  return (b.*kMethod)(name, x, PoolSpec{.kernel = kernel, .stride = stride, .padding = padding});
}

std::string readout(GraphBuilder& b, Name name, Name x, Name mode, const Doubles& scale,
                    const Doubles& bias) {
  return b.readout(name, x, mode, span_of(scale), span_of(bias));
}

void bind_synapses(nb::class_<GraphBuilder>& builder) {
  builder
      .def("conv2d", &conv2d, nb::arg("name"), nb::arg("x"), nb::arg("weight").noconvert(), nb::kw_only(),
           nb::arg("encoding"), nb::arg("bits"), nb::arg("scale").none(), nb::arg("bias").none(),
           nb::arg("stride"), nb::arg("padding"), nb::arg("dilation"), nb::arg("groups"))
      .def("linear", &linear, nb::arg("name"), nb::arg("x"), nb::arg("weight").noconvert(), nb::kw_only(),
           nb::arg("encoding"), nb::arg("bits"), nb::arg("scale").none(), nb::arg("bias").none())
      .def("batch_norm", &batch_norm, nb::arg("name"), nb::arg("x"), nb::arg("gamma"), nb::arg("beta"),
           nb::arg("mean"), nb::arg("var"), nb::arg("eps"))
      .def("step_gain", &step_gain, nb::arg("name"), nb::arg("x"), nb::arg("gain"));
}

void bind_neurons(nb::class_<GraphBuilder>& builder) {
  builder
      .def("lif", &lif, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("decay"), nb::arg("input_gain"),
           nb::arg("threshold"), nb::arg("reset"), nb::arg("strict"), nb::arg("profile"), nb::arg("state"),
           nb::arg("leak"), nb::arg("leak_at_store"), nb::arg("theta0"), nb::arg("unit_bits"),
           nb::arg("quantiser"), nb::arg("alpha"))
      .def("lif_int", &lif_int, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("theta"),
           nb::arg("psi").none(), nb::arg("load").none(), nb::arg("edges").none(), nb::arg("gamma").none(),
           nb::arg("profile"), nb::arg("state"), nb::arg("leak"), nb::arg("leak_param"), nb::arg("reset"),
           nb::arg("leak_at_store"), nb::arg("unit_bits"), nb::arg("decay"), nb::arg("threshold"),
           nb::arg("input_gain"), nb::arg("strict"))
      .def("cuba_lif", &cuba_lif, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("current_decay"),
           nb::arg("decay"), nb::arg("theta"), nb::arg("bias"), nb::arg("input_shift"))
      .def("psn", &psn, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("weight"), nb::arg("bias"))
      .def("neuron", &neuron, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("synapse"),
           nb::arg("charge"), nb::arg("fire"), nb::arg("most"), nb::arg("voltage"), nb::arg("reset"),
           nb::arg("reset_step"), nb::arg("correct"), nb::arg("floor"), nb::arg("refractory"),
           nb::arg("refractory_steps"), nb::arg("values"))
      .def("requant", &requant, nb::arg("name"), nb::arg("inputs"), nb::kw_only(), nb::arg("factors"),
           nb::arg("c"), nb::arg("n"), nb::arg("wide"));
}

void bind_streams(nb::class_<GraphBuilder>& builder) {
  builder
      .def("residual", &GraphBuilder::residual, nb::arg("name"), nb::arg("x"), nb::arg("stream"),
           nb::kw_only(), nb::arg("unit"))
      .def("couple", &GraphBuilder::couple, nb::arg("name"), nb::arg("x"), nb::arg("before"), nb::arg("now"))
      .def("residual_int", &residual_int, nb::arg("name"), nb::arg("inputs"), nb::kw_only(),
           nb::arg("factors"), nb::arg("c"), nb::arg("n"), nb::arg("unit"))
      .def("saccade", &saccade, nb::arg("name"), nb::arg("q"), nb::arg("k"), nb::kw_only(), nb::arg("mode"),
           nb::arg("threshold"), nb::arg("mix").none());
}

void bind_rest(nb::class_<GraphBuilder>& builder) {
  builder
      .def("maxpool2d", &pool2d<&GraphBuilder::maxpool2d>, nb::arg("name"), nb::arg("x"), nb::kw_only(),
           nb::arg("kernel"), nb::arg("stride"), nb::arg("padding"))
      .def("avgpool2d", &pool2d<&GraphBuilder::avgpool2d>, nb::arg("name"), nb::arg("x"), nb::kw_only(),
           nb::arg("kernel"), nb::arg("stride"), nb::arg("padding"))
      .def("add", &GraphBuilder::add, nb::arg("name"), nb::arg("inputs"))
      .def("flatten", &GraphBuilder::flatten, nb::arg("name"), nb::arg("x"))
      .def("delay", &GraphBuilder::delay, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("steps"),
           nb::arg("shape"), nb::arg("dtype"))
      .def("attention", &GraphBuilder::attention, nb::arg("name"), nb::arg("q"), nb::arg("k"), nb::arg("v"),
           nb::kw_only(), nb::arg("heads"))
      .def("map_scores", &GraphBuilder::map_scores, nb::arg("name"), nb::arg("x"), nb::arg("y"),
           nb::kw_only(), nb::arg("variant"), nb::arg("heads"))
      .def("map_product", &GraphBuilder::map_product, nb::arg("name"), nb::arg("maps"), nb::arg("x"),
           nb::kw_only(), nb::arg("variant"), nb::arg("heads"))
      .def("count", &GraphBuilder::count, nb::arg("name"), nb::arg("x"), nb::arg("y"), nb::kw_only(),
           nb::arg("over"), nb::arg("heads"))
      .def("mask", &GraphBuilder::mask, nb::arg("name"), nb::arg("x"), nb::arg("mask"))
      .def("readout", &readout, nb::arg("name"), nb::arg("x"), nb::kw_only(), nb::arg("mode"),
           nb::arg("scale").none(), nb::arg("bias").none())
      .def("output", &GraphBuilder::output, nb::arg("name"), nb::arg("edge"))
      .def("shape", &GraphBuilder::shape, nb::arg("edge"))
      .def("build", &GraphBuilder::build, nb::arg("timesteps"), nb::kw_only(), nb::arg("labels"),
           nb::arg("preprocess").none(), nb::arg("provenance"), nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

void bind_builder(nb::module_& m) {
  nb::class_<GraphBuilder> builder(m, "GraphBuilder", "Makes a model from code: one thread at a time.");
  builder.def(nb::init<>())
      .def("input", &input, nb::arg("name"), nb::arg("dtype"), nb::arg("shape"), nb::kw_only(),
           nb::arg("zero_point"), nb::arg("scale"), nb::arg("layout"));
  bind_synapses(builder);
  bind_neurons(builder);
  bind_streams(builder);
  bind_rest(builder);
}

}  // namespace snncore::bindings
