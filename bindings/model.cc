#include <snncore/model.h>

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

Model load(const std::string& path) {
  const nb::gil_scoped_release nogil;
  return Model::load(path);
}

Model from_bytes(const nb::bytes& data) {
  std::string bytes(data.c_str(), data.size());
  const nb::gil_scoped_release nogil;
  return Model::from_bytes(std::move(bytes));
}

nb::bytes to_bytes(const Model& model, int format) {
  std::string bytes;
  {
    const nb::gil_scoped_release nogil;
    bytes = model.to_bytes(format);
  }
  return nb::bytes(bytes.data(), bytes.size());
}

void bind_infos(nb::module_& m) {
  nb::class_<PortInfo>(m, "PortInfo")
      .def_ro("name", &PortInfo::name)
      .def_ro("dtype", &PortInfo::dtype)
      .def_ro("shape", &PortInfo::shape)
      .def_ro("layout", &PortInfo::layout)
      .def_ro("zero_point", &PortInfo::zero_point)
      .def_ro("scale", &PortInfo::scale);
  nb::class_<LayerInfo>(m, "LayerInfo")
      .def_ro("name", &LayerInfo::name)
      .def_ro("op", &LayerInfo::op)
      .def_ro("neuron", &LayerInfo::neuron)
      .def_ro("shape", &LayerInfo::shape)
      .def_ro("weight_bits", &LayerInfo::weight_bits)
      .def_ro("state_bits", &LayerInfo::state_bits)
      .def_ro("bytes", &LayerInfo::bytes)
      .def_ro("kept_channels", &LayerInfo::kept_channels);
  nb::class_<PreprocessInfo>(m, "PreprocessInfo")
      .def(
          "__init__",
          [](PreprocessInfo* self, int64_t height, int64_t width, std::string crop, std::string color) {
            new (self) PreprocessInfo{height, width, std::move(crop), std::move(color)};
          },
          nb::arg("height"), nb::arg("width"), nb::arg("crop"), nb::arg("color"))
      .def_ro("height", &PreprocessInfo::height)
      .def_ro("width", &PreprocessInfo::width)
      .def_ro("crop", &PreprocessInfo::crop)
      .def_ro("color", &PreprocessInfo::color);
}

}  // namespace

void bind_model(nb::module_& m) {
  bind_infos(m);
  nb::class_<Model>(m, "Model", "A model as a file holds it: immutable, shared by threads.")
      .def_static("load", &load, nb::arg("path"))
      .def_static("from_bytes", &from_bytes, nb::arg("data"))
      .def("save", &Model::save, nb::arg("path"), nb::call_guard<nb::gil_scoped_release>())
      .def("to_bytes", &to_bytes, nb::arg("format") = kFormatVersion)
      .def_prop_ro("inputs", &Model::inputs)
      .def_prop_ro("outputs", &Model::outputs)
      .def_prop_ro("layers", &Model::layers)
      .def_prop_ro("timesteps", &Model::timesteps)
      .def_prop_ro("labels", &Model::labels)
      .def_prop_ro("preprocess", &Model::preprocess)
      .def_prop_ro("provenance", &Model::provenance)
      .def_prop_ro("file_bytes", &Model::file_bytes)
      .def_prop_ro("file_format", &Model::file_format)
      .def("document", &Model::document);
}

}  // namespace snncore::bindings
