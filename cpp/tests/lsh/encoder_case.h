// Random vectors and tensors for the tests of encoders.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernels/common.h"
#include "lsh/encoders/stored.h"
#include "lsh/fit_encoder.h"
#include "lsh/read_encoder.h"

namespace snncore::test {

/// Rows [count][dim] around a few centres.
inline std::vector<float> random_rows(Random& random, size_t count, size_t dim) {
  std::vector<float> centres(5 * dim), rows(count * dim);
  for (float& v : centres) v = 4 * random.real();
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = centres[i / dim % 5 * dim + i % dim] + random.real();
  return rows;
}

inline tensor::Tensor random_floats(Random& random, const Shape& shape, float scale = 1) {
  std::byte* to = nullptr;
  tensor::Tensor tensor = tensor::make_tensor(DType::kF32, shape, &to);
  for (size_t i = 0; i < tensor.bytes / 4; ++i) reinterpret_cast<float*>(to)[i] = scale * random.real();
  return tensor;
}

inline tensor::Tensor random_codes(Random& random, const Shape& shape) {
  std::byte* to = nullptr;
  tensor::Tensor tensor = tensor::make_tensor(DType::kI8, shape, &to);
  for (size_t i = 0; i < tensor.bytes; ++i) to[i] = static_cast<std::byte>(random.in(-127, 127));
  return tensor;
}

inline tensor::Tensor random_words(Random& random, const Shape& shape) {
  std::byte* to = nullptr;
  tensor::Tensor tensor = tensor::make_tensor(DType::kU64, shape, &to);
  for (size_t i = 0; i < tensor.bytes / 8; ++i) reinterpret_cast<uint64_t*>(to)[i] = random.next();
  return tensor;
}

inline std::vector<float> logits_of(const lsh::Encoder& encoder, const std::vector<float>& rows) {
  const size_t count = rows.size() / encoder.dim();
  std::vector<float> out(count * encoder.bits());
  encoder.logits(rows.data(), count, out.data());
  return out;
}

inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace snncore::test
