#include <snncore/session.h>

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

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

BitTensor packed_output(const Session& session, size_t index) {
  const Recording packed = session.packed_output(index);
  return BitTensor::pack(TensorView{packed.data.data(), DType::kB1, packed.shape});
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
  nb::class_<Program>(m, "Program", "A planned model: immutable, shared by threads.")
      .def("__init__", &make_program, nb::arg("model"), nb::kw_only(), nb::arg("mode"), nb::arg("timesteps"),
           nb::arg("batch"), nb::arg("threads"), nb::arg("layout"), nb::arg("record"),
           nb::arg("outputs") = true)
      .def_prop_ro("session_bytes", &Program::session_bytes)
      .def_prop_ro("weight_bytes", &Program::weight_bytes);
  nb::class_<Session>(m, "Session", "State and scratch of one stream of input: one thread at a time.")
      .def(nb::init<const Program&>(), nb::arg("program"))
      .def("run", &run, nb::arg("inputs").noconvert())
      .def("output", &output, nb::arg("index") = 0)
      .def("packed_output", &packed_output, nb::arg("index") = 0)
      .def("recordings", &recordings)
      .def("reset", &Session::reset)
      .def_prop_ro("steps", &Session::steps)
      .def("save_state", &save_state)
      .def("load_state", &load_state, nb::arg("state"));
}

}  // namespace snncore::bindings
