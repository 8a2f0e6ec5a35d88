#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <snncore/error.h>

#include "bindings.h"

namespace snncore::bindings {
namespace {

using PackableArray = std::variant<Array<bool>, Array<uint8_t>, Array<int8_t>, Array<float>>;

BitTensor pack(const PackableArray& array) {
  constexpr DType kDTypes[] = {DType::kBool, DType::kU8, DType::kI8, DType::kF32};
  const TensorView source =
      std::visit([&](const auto& a) { return view_as(a, kDTypes[array.index()]); }, array);
  const nb::gil_scoped_release nogil;
  return BitTensor::pack(source);
}

BitTensor from_words(const Array<uint64_t>& words, const Shape& shape) {
  Shape expected = shape;
  if (!expected.empty()) expected.back() = (expected.back() + 63) / 64;
  if (expected != shape_of(words)) {
    throw Error(ErrorCode::kShape, "words of bits " + shape_string(shape) + ": expected shape " +
                                       shape_string(expected) + ", received " +
                                       shape_string(shape_of(words)));
  }
  return BitTensor::pack(TensorView{words.data(), DType::kB1, shape});
}

nb::ndarray<nb::numpy, const uint64_t> words(const BitTensor& bits) {
  std::vector<size_t> extents(bits.shape().begin(), bits.shape().end());
  if (!extents.empty()) extents.back() = bits.row_words();
  auto shared = std::make_unique<BitTensor>(bits);
  const nb::capsule owner(shared.release(), [](void* p) noexcept { delete static_cast<BitTensor*>(p); });
  return {bits.words(), extents.size(), extents.data(), owner};
}

NumpyArray<bool> unpack(const BitTensor& bits) {
  static_assert(sizeof(bool) == 1);
  return make_array<bool>(bits.shape(),
                          [&](bool* out, size_t) { bits.unpack(reinterpret_cast<uint8_t*>(out)); });
}

}  // namespace

void bind_functional(nb::module_& m) {
  nb::class_<BitTensor>(m, "BitTensor", "Packed bits; the last axis is packed. Immutable, shared by threads.")
      .def_static("pack", &pack, nb::arg("array").noconvert(), "Non-zero elements become set bits.")
      .def_static("from_words", &from_words, nb::arg("words").noconvert(), nb::arg("shape"),
                  "Copies packed words; bits past the end of a row must be zero.")
      .def_prop_ro("shape", &BitTensor::shape)
      .def("words", &words, "The packed words, read-only, without a copy.")
      .def("unpack", &unpack, "A new array of bool.")
      .def("popcount", &BitTensor::popcount, "The number of set bits.");
}

}  // namespace snncore::bindings
