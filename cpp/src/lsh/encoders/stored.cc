#include "lsh/encoders/stored.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked.h"

namespace snncore::lsh {
namespace {

template <typename T>
tensor::Tensor copy_of(std::span<const T> values, DType dtype, const Shape& shape) {
  std::byte* to = nullptr;
  tensor::Tensor tensor = tensor::make_tensor(dtype, shape, &to);
  if (!values.empty()) std::memcpy(to, values.data(), values.size_bytes());
  return tensor;
}

bool finite(const tensor::Tensor& tensor) {
  const auto* values = tensor.as<float>();
  return std::all_of(values, values + tensor.bytes / sizeof(float), [](float v) { return std::isfinite(v); });
}

}  // namespace

void Stored::fail(const std::string& message) const {
  throw Error(ErrorCode::kFormat, "encoder '" + kind_ + "': " + message);
}

bool Stored::has(const char* name, DType dtype) const {
  const auto at = left_.find(name);
  return at != left_.end() && at->second.dtype == dtype;
}

size_t Stored::hidden_width() const {
  const auto at = left_.find("residual");
  const int64_t width = at == left_.end() || at->second.shape.empty() ? 0 : at->second.shape[0];
  constexpr int64_t kStep = kBitStep, kMost = kMaxBits;
  if (width >= kStep && width <= kMost && width % kStep == 0) return static_cast<size_t>(width);
  fail("expected tensor 'residual' of 64 to 1024 rows, a multiple of 64, received " + std::to_string(width));
}

tensor::Tensor Stored::take(const char* name, DType dtype, const Shape& shape) {
  const std::string expected =
      std::string("expected tensor '") + name + "', " + dtype_name(dtype) + " " + shape_string(shape);
  const auto at = left_.find(name);
  if (at == left_.end()) fail(expected + ", received none");
  tensor::Tensor tensor = at->second;
  if (tensor.dtype != dtype || tensor.shape != shape) {
    fail(expected + ", received " + dtype_name(tensor.dtype) + " " + shape_string(tensor.shape));
  }
  if (dtype == DType::kF32 && !finite(tensor))
    fail(std::string("'") + name + "' has values that are not finite");
  left_.erase(at);
  return tensor;
}

void Stored::expect_all_read() const {
  if (!left_.empty()) fail("it has no tensor '" + left_.begin()->first + "'");
}

tensor::Tensor copied(std::span<const float> values, const Shape& shape) {
  return copy_of(values, DType::kF32, shape);
}
tensor::Tensor copied(std::span<const uint64_t> values, const Shape& shape) {
  return copy_of(values, DType::kU64, shape);
}
tensor::Tensor copied(std::span<const int32_t> values, const Shape& shape) {
  return copy_of(values, DType::kI32, shape);
}

}  // namespace snncore::lsh
