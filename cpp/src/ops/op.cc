#include "ops/op.h"

#include <bit>
#include <cmath>

namespace snncore::ops {
namespace {

/// The attribute as a T, or an error that names what it should have been.
template <typename T>
const T& attribute(const NodeView& view, const std::string& key, const char* kind) {
  const auto it = view.node.attrs.find(key);
  if (it == view.node.attrs.end()) view.fail("attribute '" + key + "' is missing");
  if (const T* value = std::get_if<T>(&it->second)) return *value;
  view.fail("attribute '" + key + "' must be " + kind);
}

}  // namespace

std::string edge_dtype(const Edge& edge) {
  switch (edge.type) {
    case EdgeType::kSpike:
      return "b1";
    case EdgeType::kCount: {
      const auto bits = static_cast<int>(std::bit_width(static_cast<uint64_t>(edge.hi)));
      return "u" + std::to_string(bits < 2 ? 2 : bits);
    }
    case EdgeType::kPixel:
      return "u8";
    case EdgeType::kSum:
    case EdgeType::kCurrent:
    case EdgeType::kStream:
      return "i32";
    case EdgeType::kReal:
      return "f32";
  }
  return "?";
}

void NodeView::fail(const std::string& message, ErrorCode code) const {
  throw Error(code, label() + ": " + message);
}

int64_t NodeView::integer(const std::string& key) const {
  return attribute<int64_t>(*this, key, "an integer");
}

double NodeView::number(const std::string& key) const {
  const auto it = node.attrs.find(key);
  if (it != node.attrs.end() && std::holds_alternative<int64_t>(it->second)) {
    return static_cast<double>(std::get<int64_t>(it->second));
  }
  const double value = attribute<double>(*this, key, "a number");
  if (!std::isfinite(value)) fail("attribute '" + key + "' must be finite");
  return value;
}

bool NodeView::flag(const std::string& key) const { return attribute<bool>(*this, key, "true or false"); }

const std::string& NodeView::text(const std::string& key) const {
  return attribute<std::string>(*this, key, "a string");
}

const std::vector<int64_t>& NodeView::integers(const std::string& key, size_t count) const {
  const auto& values = attribute<std::vector<int64_t>>(*this, key, "a list of integers");
  if (values.size() != count) {
    fail("attribute '" + key + "' must have " + std::to_string(count) + " integers, has " +
         std::to_string(values.size()));
  }
  return values;
}

const tensor::Tensor* NodeView::find(const std::string& role) const {
  const auto name = node.tensors.find(role);
  if (name == node.tensors.end()) return nullptr;
  const auto it = tensors.find(name->second);
  if (it == tensors.end()) fail("tensor '" + name->second + "' (" + role + ") does not exist");
  return &it->second;
}

const tensor::Tensor& NodeView::get(const std::string& role, DType dtype, const Shape& shape) const {
  const tensor::Tensor* tensor = find(role);
  if (tensor == nullptr) fail("tensor '" + role + "' is missing");
  if (tensor->coded()) fail("tensor '" + role + "' must be plain numbers, is coded weights");
  if (tensor->dtype != dtype || tensor->shape != shape) {
    fail("tensor '" + role + "' must be " + dtype_name(dtype) + " " + shape_string(shape) + ", is " +
         dtype_name(tensor->dtype) + " " + shape_string(tensor->shape));
  }
  return *tensor;
}

}  // namespace snncore::ops
