#include <snncore/neurons.h>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

using IntegerArray = std::variant<Array<int8_t>, Array<int16_t>, Array<int32_t>>;
using Name = const std::string&;

Currents currents(const IntegerArray& x, bool channels_last) {
  return std::visit([&](const auto& a) { return Currents{a.data(), shape_of(a), channels_last}; }, x);
}

std::pair<BitTensor, std::optional<NumpyArray<int32_t>>> run_integers(
    const IntegerArray& x, bool channels_last, const Vector<int32_t>& theta,
    const std::optional<Vector<int32_t>>& psi, Name profile, Name state, Name leak, int64_t leak_param,
    Name reset, bool leak_at_store, size_t threads, bool membranes) {
  IntNeuronSpec spec;
  spec.profile = profile;
  spec.state = state;
  spec.leak = leak;
  spec.leak_param = leak_param;
  spec.reset = reset;
  spec.leak_at_store = leak_at_store;
  spec.theta = span_of(theta);
  spec.psi = span_of(psi);
  const Currents in = currents(x, channels_last);
  std::optional<BitTensor> spikes;
  const auto run = [&](int32_t* out) {
    const nb::gil_scoped_release nogil;
    spikes = lif_int(in, spec, threads, out);
  };
  std::optional<NumpyArray<int32_t>> kept;
  if (membranes) {
    kept = make_array<int32_t>(in.shape, [&](int32_t* out, size_t) { run(out); });
  } else {
    run(nullptr);
  }
  return {*std::move(spikes), std::move(kept)};
}

BitTensor run_floats(const Array<float>& x, bool channels_last, double decay, double input_gain,
                     double threshold, Name reset, bool strict, size_t threads) {
  NeuronSpec spec;
  spec.decay = decay;
  spec.input_gain = input_gain;
  spec.threshold = threshold;
  spec.reset = reset;
  spec.strict = strict;
  const Currents in{x.data(), shape_of(x), channels_last};
  const nb::gil_scoped_release nogil;
  return lif(in, spec, threads);
}

}  // namespace

void bind_neurons(nb::module_& m) {
  m.def("lif_int", &run_integers, nb::arg("x").noconvert(), nb::arg("channels_last"), nb::kw_only(),
        nb::arg("theta"), nb::arg("psi").none(), nb::arg("profile"), nb::arg("state"), nb::arg("leak"),
        nb::arg("leak_param"), nb::arg("reset"), nb::arg("leak_at_store"), nb::arg("threads"),
        nb::arg("membranes"), "Spikes and, where asked for, membranes of integer neurons.");
  m.def("lif", &run_floats, nb::arg("x").noconvert(), nb::arg("channels_last"), nb::kw_only(),
        nb::arg("decay"), nb::arg("input_gain"), nb::arg("threshold"), nb::arg("reset"), nb::arg("strict"),
        nb::arg("threads"), "Spikes of float32 neurons.");
}

}  // namespace snncore::bindings
