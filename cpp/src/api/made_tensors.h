// Tensors made from plain vectors.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace snncore {

template <typename T>
tensor::Tensor store(DType dtype, const Shape& shape, const T* values, size_t count) {
  std::byte* to = nullptr;
  tensor::Tensor t = tensor::make_tensor(dtype, shape, &to);
  std::memcpy(to, values, count * sizeof(T));
  return t;
}

inline tensor::Tensor ints(const std::vector<int32_t>& v) {
  return store(DType::kI32, {static_cast<int64_t>(v.size())}, v.data(), v.size());
}
inline tensor::Tensor doubles(std::span<const double> v) {
  return store(DType::kF64, {static_cast<int64_t>(v.size())}, v.data(), v.size());
}

}  // namespace snncore
