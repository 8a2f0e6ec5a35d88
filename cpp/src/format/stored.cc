#include "format/stored.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace snncore::format {
namespace {

using nlohmann::json;
using tensor::Tensor;

template <typename To, typename From>
Tensor converted(const Tensor& from, DType dtype) {
  std::byte* raw = nullptr;
  Tensor to = tensor::make_tensor(dtype, from.shape, &raw);
  const size_t count = from.bytes / sizeof(From);
  std::transform(from.as<From>(), from.as<From>() + count, reinterpret_cast<To*>(raw),
                 [](From value) { return static_cast<To>(value); });
  return to;
}

/// Does every value survive the way to `Narrow` and back, to the last bit?
template <typename Narrow, typename Wide>
bool fits(const Tensor& t) {
  const Wide* values = t.as<Wide>();
  return std::all_of(values, values + t.bytes / sizeof(Wide), [](Wide value) {
    using Limits = std::numeric_limits<Narrow>;
    if (!(value >= Limits::lowest() && value <= Limits::max())) return false;
    const auto back = static_cast<Wide>(static_cast<Narrow>(value));
    return std::memcmp(&back, &value, sizeof(Wide)) == 0;
  });
}

DType narrowest(const Tensor& t) {
  if (t.coded()) return t.dtype;
  if (t.dtype == DType::kI32 && fits<int8_t, int32_t>(t)) return DType::kI8;
  if (t.dtype == DType::kI32 && fits<int16_t, int32_t>(t)) return DType::kI16;
  return t.dtype == DType::kF64 && fits<float, double>(t) ? DType::kF32 : t.dtype;
}

template <typename T>
Tensor single(DType dtype, T value) {
  std::byte* raw = nullptr;
  Tensor t = tensor::make_tensor(dtype, {1}, &raw);
  std::memcpy(raw, &value, sizeof value);
  return t;
}

}  // namespace

Uses count_uses(const graph::Graph& graph) {
  Uses uses;
  for (const ops::Node& node : graph.nodes) {
    for (const auto& [role, name] : node.tensors) ++uses[name];
  }
  return uses;
}

bool is_number(const ops::Node& node, const std::string& role, const Tensor& t, int uses) {
  if (t.coded() || uses != 1 || node.tensors.at(role) != node.name + "." + role) return false;
  const ops::Role& known = *ops::find_role(*ops::find_op(node.op, node.version), role);
  const bool one = t.shape == Shape{1};
  const bool all = known.of_channels && t.shape.size() == 1 && t.shape[0] <= graph::kMaxRepeated;
  const size_t size = dtype_size(t.dtype);
  return (one || all) && std::memcmp(t.data, t.data + size, t.bytes - size) == 0;
}

json to_number(const Tensor& t) {
  if (t.dtype == DType::kI32) return *t.as<int32_t>();
  return t.dtype == DType::kF32 ? static_cast<double>(*t.as<float>()) : *t.as<double>();
}

Tensor from_number(const JsonView& at, DType dtype) {
  using Int = std::numeric_limits<int32_t>;
  if (dtype == DType::kI32) return single(dtype, static_cast<int32_t>(at.integer_in(Int::min(), Int::max())));
  const double value = at.number();
  if (dtype == DType::kF64) return single(dtype, value);
  constexpr double kMost = std::numeric_limits<float>::max();
  if (value < -kMost || value > kMost) at.fail("must be a float32, is " + std::to_string(value));
  return single(dtype, static_cast<float>(value));
}

Tensor narrowed(const Tensor& t) {
  const DType dtype = narrowest(t);
  if (dtype == t.dtype) return t;
  if (dtype == DType::kI8) return converted<int8_t, int32_t>(t, dtype);
  if (dtype == DType::kI16) return converted<int16_t, int32_t>(t, dtype);
  return converted<float, double>(t, dtype);
}

Tensor widened(const Tensor& t, DType dtype) {
  if (t.coded()) return t;
  if (dtype == DType::kI32 && t.dtype == DType::kI8) return converted<int32_t, int8_t>(t, dtype);
  if (dtype == DType::kI32 && t.dtype == DType::kI16) return converted<int32_t, int16_t>(t, dtype);
  if (dtype == DType::kF64 && t.dtype == DType::kF32) return converted<double, float>(t, dtype);
  return t;
}

size_t stored_bytes(const graph::Graph& graph, const ops::Node& node, const Uses& uses) {
  size_t bytes = 0;
  for (const auto& [role, name] : node.tensors) {
    const Tensor& t = graph.tensors.at(name);
    if (is_number(node, role, t, uses.at(name))) continue;
    bytes += t.bytes / dtype_size(t.dtype) * dtype_size(narrowest(t));
  }
  return bytes;
}

}  // namespace snncore::format
