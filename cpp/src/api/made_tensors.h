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

/// Channels last: [C, I, kh, kw] becomes [C, kh, kw, I]; columns of a flattened image go from C, H, W to H,
/// W, C.
template <typename T>
std::vector<T> channels_last(std::span<const T> w, size_t outputs, size_t inputs, size_t positions) {
  std::vector<T> out(w.size());
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t i = 0; i < inputs; ++i) {
      for (size_t p = 0; p < positions; ++p)
        out[(o * positions + p) * inputs + i] = w[(o * inputs + i) * positions + p];
    }
  }
  return out;
}

inline tensor::Tensor ints(const std::vector<int32_t>& v) {
  return store(DType::kI32, {static_cast<int64_t>(v.size())}, v.data(), v.size());
}
inline tensor::Tensor doubles(std::span<const double> v) {
  return store(DType::kF64, {static_cast<int64_t>(v.size())}, v.data(), v.size());
}

}  // namespace snncore
