#include <snncore/encoder.h>

#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

using Name = const std::string&;
using Rows = Array<float, nb::ndim<2>>;
using Arrays = nb::typed<nb::dict, nb::str, nb::object>;
using StoredArray = std::variant<Array<float>, Array<int8_t>, Array<uint64_t>>;

TensorView view_of(const Array<float>& array) { return view_as(array, DType::kF32); }
TensorView view_of(const Array<int8_t>& array) { return view_as(array, DType::kI8); }
TensorView view_of(const Array<uint64_t>& array) { return view_as(array, DType::kU64); }

Encoder fit(Name kind, const Rows& vectors, int64_t bits, uint64_t seed, bool center, int iterations,
            double width) {
  const nb::gil_scoped_release nogil;
  return Encoder::fit(kind, view_as(vectors, DType::kF32), bits, {seed, center, iterations, width});
}

Encoder from_tensors(Name kind, int64_t dim, int64_t bits, const std::map<std::string, StoredArray>& arrays) {
  std::map<std::string, TensorView> views;
  for (const auto& [name, array] : arrays) {
    views.emplace(name, std::visit([](const auto& a) { return view_of(a); }, array));
  }
  return Encoder::from_tensors(kind, dim, bits, views);
}

nb::object array_of(const TensorView& view) {
  switch (view.dtype) {
    case DType::kI8:
      return nb::cast(copy_array<int8_t>(view.shape, view.data));
    case DType::kU64:
      return nb::cast(copy_array<uint64_t>(view.shape, view.data));
    default:
      return nb::cast(copy_array<float>(view.shape, view.data));
  }
}

Arrays tensors(const Encoder& encoder) {
  const Encoder::Parts parts = encoder.tensors();
  Arrays arrays;
  for (const auto& [name, view] : parts.tensors) arrays[name.c_str()] = array_of(view);
  return arrays;
}

NumpyArray<float> logits(const Encoder& encoder, const Rows& vectors, int threads) {
  const Shape shape = {static_cast<int64_t>(vectors.shape(0)), encoder.bits()};
  return make_array<float>(shape, [&](float* out, size_t count) {
    const nb::gil_scoped_release nogil;
    encoder.logits(view_as(vectors, DType::kF32), {out, count}, threads);
  });
}

BitTensor encode(const Encoder& encoder, const Rows& vectors, int threads) {
  const nb::gil_scoped_release nogil;
  return encoder.encode(view_as(vectors, DType::kF32), threads);
}

}  // namespace

void bind_encoder(nb::module_& m) {
  nb::class_<Encoder>(m, "Encoder", "From vectors to binary codes; immutable.")
      .def_static("fit", &fit, nb::arg("kind"), nb::arg("vectors"), nb::arg("bits"), nb::arg("seed"),
                  nb::arg("center"), nb::arg("iterations"), nb::arg("width"))
      .def_static("from_tensors", &from_tensors, nb::arg("kind"), nb::arg("dim"), nb::arg("bits"),
                  nb::arg("tensors"))
      .def_prop_ro("kind", [](const Encoder& e) { return std::string(e.kind()); })
      .def_prop_ro("dim", &Encoder::dim)
      .def_prop_ro("bits", &Encoder::bits)
      .def("tensors", &tensors)
      .def("logits", &logits, nb::arg("vectors"), nb::arg("threads"))
      .def("encode", &encode, nb::arg("vectors"), nb::arg("threads"));
}

}  // namespace snncore::bindings
