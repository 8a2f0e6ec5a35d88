#include <snncore/session.h>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "runtime/skips.h"

namespace snncore::bindings {
namespace {

using RecordedArray = std::variant<BitTensor, NumpyArray<int32_t>, NumpyArray<int64_t>, NumpyArray<float>>;

void make_program(Program* self, const Model& model, Mode mode, int64_t timesteps, int64_t batch, int threads,
                  const std::string& layout, const std::vector<std::string>& record, bool outputs) {
  const nb::gil_scoped_release nogil;
  Options options;
  options.mode = mode;
  options.timesteps = timesteps;
  options.batch = batch;
  options.threads = threads;
  options.layout = layout;
  options.record = record;
  options.outputs = outputs;
  new (self) Program(model, options);
}

void run(Session& session, const std::vector<InputArray>& inputs) {
  std::vector<TensorView> views;
  views.reserve(inputs.size());
  for (const InputArray& input : inputs) views.push_back(view(input));
  const nb::gil_scoped_release nogil;
  session.run(views);
}

NumpyArray<float> output(const Session& session, size_t index) {
  return copy_array<float>(session.output_shape(index), session.output(index).data());
}

RecordedArray recorded_array(const Recording& recording) {
  const void* data = recording.data.data();
  switch (recording.dtype) {
    case DType::kB1:
      return BitTensor::pack(TensorView{data, DType::kB1, recording.shape});
    case DType::kI32:
      return copy_array<int32_t>(recording.shape, data);
    case DType::kI64:
      return copy_array<int64_t>(recording.shape, data);
    case DType::kF32:
      return copy_array<float>(recording.shape, data);
    default:
      throw Error(ErrorCode::kUnsupported,
                  "recording '" + recording.name + "' has dtype " + dtype_name(recording.dtype));
  }
}

std::vector<std::pair<std::string, RecordedArray>> recordings(const Session& session) {
  std::vector<std::pair<std::string, RecordedArray>> arrays;
  for (const Recording& recording : session.recordings()) {
    arrays.emplace_back(recording.name, recorded_array(recording));
  }
  return arrays;
}

// (name, sums, seconds, operations)
using LayerRow = std::tuple<std::string, std::vector<std::string>, double, double>;

std::vector<LayerRow> layer_times(const Session& session) {
  std::vector<LayerRow> rows;
  for (const LayerTime& layer : session.layer_times()) {
    rows.emplace_back(layer.name, layer.sums, layer.seconds, layer.operations);
  }
  return rows;
}

// (steps, late, skipped). The step is called with the interpreter held.
using Report = std::tuple<int64_t, int64_t, int64_t>;
using OnStep = std::optional<nb::typed<nb::callable, void()>>;

template <typename Run>
Report report_of(const OnStep& on_step, Run&& run) {
  const nb::gil_scoped_release nogil;
  EventStep step;
  if (on_step) {
    step = [&on_step] {
      const nb::gil_scoped_acquire gil;
      (*on_step)();
    };
  }
  const EventReport r = run(step);
  return {r.steps, r.late, r.skipped};
}

Report push_events(Session& session, const Vector<uint16_t>& x, const Vector<uint16_t>& y,
                   const Vector<uint8_t>& p, const Vector<int64_t>& t, int64_t window_us, int64_t count,
                   int clock_bits, int64_t max_gap, const OnStep& on_step) {
  const Events events{.x = span_of(x), .y = span_of(y), .polarity = span_of(p), .time = span_of(t)};
  const EventWindow window{
      .microseconds = window_us, .count = count, .clock_bits = clock_bits, .max_gap = max_gap};
  return report_of(on_step, [&](const EventStep& step) { return session.push_events(events, window, step); });
}

Report flush_events(Session& session, const OnStep& on_step) {
  return report_of(on_step, [&](const EventStep& step) { return session.flush_events(step); });
}

Report advance_events(Session& session, int64_t now, const OnStep& on_step) {
  return report_of(on_step, [&](const EventStep& step) { return session.advance_events(now, step); });
}

nb::bytes save_state(const Session& session) {
  const std::vector<std::byte> state = session.save_state();
  return nb::bytes(state.data(), state.size());
}

void load_state(Session& session, const nb::bytes& state) {
  session.load_state({static_cast<const std::byte*>(state.data()), state.size()});
}

}  // namespace

void bind_session(nb::module_& m) {
  nb::enum_<Mode>(m, "Mode").value("SEQUENCE", Mode::kSequence).value("STREAM", Mode::kStream);
  nb::class_<Memory::Node>(m, "MemoryNode")
      .def_ro("name", &Memory::Node::name)
      .def_ro("weights", &Memory::Node::weights)
      .def_ro("membranes", &Memory::Node::membranes)
      .def_ro("history", &Memory::Node::history);
  nb::class_<Memory>(m, "Memory", "What a run holds in memory, in bytes.")
      .def_ro("nodes", &Memory::nodes)
      .def_ro("weights", &Memory::weights)
      .def_ro("membranes", &Memory::membranes)
      .def_ro("history", &Memory::history)
      .def_ro("values", &Memory::values)
      .def_ro("workers", &Memory::workers);
  m.def("set_skips", &runtime::set_skips, nb::arg("on"),
        "For measuring: whether every run leaves out what changes nothing.");
  nb::class_<Program>(m, "Program", "A planned model: immutable, shared by threads.")
      .def("__init__", &make_program, nb::arg("model"), nb::kw_only(), nb::arg("mode"), nb::arg("timesteps"),
           nb::arg("batch"), nb::arg("threads"), nb::arg("layout"), nb::arg("record"),
           nb::arg("outputs") = true)
      .def_prop_ro("session_bytes", &Program::session_bytes)
      .def_prop_ro("weight_bytes", &Program::weight_bytes)
      .def("memory", &Program::memory);
  nb::class_<Session>(m, "Session", "State and scratch of one stream of input: one thread at a time.")
      .def(nb::init<const Program&>(), nb::arg("program"))
      .def("run", &run, nb::arg("inputs").noconvert())
      .def("output", &output, nb::arg("index") = 0)
      .def("packed_output", &Session::packed_output, nb::arg("index") = 0)
      .def("recordings", &recordings)
      .def("time_layers", &Session::time_layers, nb::arg("on"))
      .def("layer_times", &layer_times)
      .def("push_events", &push_events, nb::arg("x").noconvert(), nb::arg("y").noconvert(),
           nb::arg("p").noconvert(), nb::arg("t").noconvert(), nb::kw_only(), nb::arg("window_us"),
           nb::arg("count"), nb::arg("clock_bits"), nb::arg("max_gap"), nb::arg("on_step").none())
      .def("flush_events", &flush_events, nb::arg("on_step").none())
      .def("advance_events", &advance_events, nb::arg("now"), nb::arg("on_step").none())
      .def("reset", &Session::reset)
      .def_prop_ro("steps", &Session::steps)
      .def("save_state", &save_state)
      .def("load_state", &load_state, nb::arg("state"));
}

}  // namespace snncore::bindings
