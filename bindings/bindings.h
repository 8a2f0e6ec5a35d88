// What the files of the extension module share: the parts it is made of, and arrays in and out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <snncore/functional.h>
#include <snncore/tensor.h>

namespace snncore::bindings {

namespace nb = nanobind;

void bind_attention(nb::module_& m);
void bind_functional(nb::module_& m);
void bind_neurons(nb::module_& m);
void bind_model(nb::module_& m);
void bind_session(nb::module_& m);
void bind_builder(nb::module_& m);
void bind_lsh(nb::module_& m);
void bind_index(nb::module_& m);
void bind_encoder(nb::module_& m);

/// An array that Python owns and we only read.
template <typename T, typename... More>
using Array = nb::ndarray<const T, nb::c_contig, nb::device::cpu, More...>;
template <typename T>
using Vector = Array<T, nb::ndim<1>>;

/// An array that we give to Python.
template <typename T>
using NumpyArray = nb::ndarray<nb::numpy, T>;

/// What a model takes as input: raw pixels, normalised values, spikes, packed spikes.
using InputArray = std::variant<Array<float>, Array<uint8_t>, Array<bool>, BitTensor>;

TensorView view(const InputArray& array);

template <typename T, typename... More>
Shape shape_of(const Array<T, More...>& array) {
  Shape shape(array.ndim());
  for (size_t i = 0; i < shape.size(); ++i) shape[i] = static_cast<int64_t>(array.shape(i));
  return shape;
}

template <typename T, typename... More>
TensorView view_as(const Array<T, More...>& array, DType dtype) {
  return TensorView{array.data(), dtype, shape_of(array)};
}

template <typename T, typename... More>
std::span<const T> span_of(const Array<T, More...>& array) {
  return {array.data(), array.size()};
}

template <typename T, typename... More>
std::span<const T> span_of(const std::optional<Array<T, More...>>& array) {
  return array ? span_of(*array) : std::span<const T>{};
}

inline size_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), size_t{1},
                         [](size_t n, int64_t extent) { return n * static_cast<size_t>(extent); });
}

/// A new NumPy array that `fill(pointer, count)` writes to.
template <typename T, typename Fill>
NumpyArray<T> make_array(const Shape& shape, Fill&& fill) {
  const size_t count = element_count(shape);
  auto values = std::make_unique_for_overwrite<T[]>(count);
  fill(values.get(), count);
  T* data = values.release();
  const nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
  const std::vector<size_t> extents(shape.begin(), shape.end());
  return NumpyArray<T>(data, extents.size(), extents.data(), owner);
}

/// A new NumPy array with a copy of `values`.
template <typename T>
NumpyArray<T> copy_array(const Shape& shape, const void* values) {
  return make_array<T>(shape,
                       [&](T* out, size_t count) { std::copy_n(static_cast<const T*>(values), count, out); });
}

}  // namespace snncore::bindings
