#include "ops/check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"

namespace snncore::ops {
namespace {

constexpr int64_t kMaxGeometry = 65535;
constexpr int64_t kMaxCount = 65535;

template <typename T>
bool all_finite(const T* values, size_t count) {
  return std::all_of(values, values + count, [](T v) { return std::isfinite(v); });
}

bool listed(const std::string& key, std::initializer_list<const char*> list) {
  return std::any_of(list.begin(), list.end(), [&](const char* name) { return key == name; });
}

}  // namespace

void expect_attrs(const NodeView& view, std::initializer_list<const char*> attrs) {
  for (const auto& [key, value] : view.node.attrs) {
    if (!listed(key, attrs)) view.fail("unknown attribute '" + key + "'");
  }
  for (const char* key : attrs) {
    if (!view.node.attrs.contains(key)) view.fail("attribute '" + std::string(key) + "' is missing");
  }
}

void expect_roles(const NodeView& view, std::initializer_list<const char*> roles,
                  std::initializer_list<const char*> optional) {
  for (const auto& [role, name] : view.node.tensors) {
    if (!listed(role, roles) && !listed(role, optional)) {
      view.fail("has no use for a tensor '" + role + "' here");
    }
  }
  for (const char* role : roles) {
    if (!view.node.tensors.contains(role)) view.fail("tensor '" + std::string(role) + "' is missing");
  }
}

void expect_inputs(const NodeView& view, size_t count) {
  if (view.inputs.size() == count) return;
  view.fail("takes " + std::to_string(count) + " input" + (count == 1 ? "" : "s") + ", has " +
            std::to_string(view.inputs.size()));
}

void expect_alike_inputs(const NodeView& view, size_t least) {
  const size_t count = view.inputs.size();
  if (count < least || count > kMaxInputs) {
    view.fail("takes " + std::to_string(least) + " to " + std::to_string(kMaxInputs) + " inputs, has " +
              std::to_string(count));
  }
  for (const Edge* edge : view.inputs) {
    if (edge->shape != view.inputs[0]->shape) {
      view.fail("inputs must have one shape, have " + shape_string(view.inputs[0]->shape) + " and " +
                shape_string(edge->shape));
    }
  }
}

std::string edge_text(const Edge& edge) {
  std::string text = edge_dtype(edge);
  if (edge.type == EdgeType::kPixel) text += " pixel";
  if (edge.type == EdgeType::kSum) text += " sum";
  if (edge.type == EdgeType::kCurrent) text += " current";
  if (edge.type == EdgeType::kStream) text += " stream";
  return text + " " + shape_string(edge.shape);
}

void refuse_input(const NodeView& view, const Edge& edge, const std::string& expected) {
  view.fail("input must be " + expected + ", is " + edge_text(edge));
}

int64_t integer_in(const NodeView& view, const std::string& key, int64_t lo, int64_t hi) {
  const int64_t value = view.integer(key);
  if (value >= lo && value <= hi) return value;
  view.fail("attribute '" + key + "' must be in " + std::to_string(lo) + ".." + std::to_string(hi) + ", is " +
            std::to_string(value));
}

void expect_finite(const NodeView& view, const std::string& role, const tensor::Tensor& tensor) {
  const bool finite = tensor.dtype == DType::kF64
                          ? all_finite(tensor.as<double>(), tensor.bytes / sizeof(double))
                          : all_finite(tensor.as<float>(), tensor.bytes / sizeof(float));
  if (!finite) view.fail("tensor '" + role + "' holds a value that is not finite");
}

void expect_between(const NodeView& view, const std::string& role, const tensor::Tensor& tensor, int64_t lo,
                    int64_t hi) {
  const auto* values = tensor.as<int32_t>();
  for (size_t i = 0; i < tensor.bytes / sizeof(int32_t); ++i) {
    if (values[i] >= lo && values[i] <= hi) continue;
    view.fail("tensor '" + role + "' must be in " + std::to_string(lo) + ".." + std::to_string(hi) +
              ", holds " + std::to_string(values[i]) + " at element " + std::to_string(i));
  }
}

Window slide(const NodeView& view, const Edge& input, int64_t kernel_h, int64_t kernel_w, bool dilated) {
  if (!input.is_image()) refuse_input(view, input, "an image [H, W, C]");
  const auto within = [&](const std::string& key, size_t count, int64_t lo) {
    const std::vector<int64_t>& values = view.integers(key, count);
    for (const int64_t v : values) {
      if (v < lo || v > kMaxGeometry) {
        view.fail("attribute '" + key + "' must be in " + std::to_string(lo) + ".." +
                  std::to_string(kMaxGeometry) + ", holds " + std::to_string(v));
      }
    }
    return values;
  };
  const std::vector<int64_t> stride = within("stride", 2, 1);
  const std::vector<int64_t> padding = within("padding", 4, 0);
  const std::vector<int64_t> dilation = dilated ? within("dilation", 2, 1) : std::vector<int64_t>{1, 1};
  for (const int64_t k : {kernel_h, kernel_w}) {
    if (k < 1 || k > kMaxGeometry) {
      view.fail("a kernel side must be in 1.." + std::to_string(kMaxGeometry) + ", is " + std::to_string(k));
    }
  }
  const int64_t free_h = input.shape[0] + padding[0] + padding[1] - dilation[0] * (kernel_h - 1) - 1;
  const int64_t free_w = input.shape[1] + padding[2] + padding[3] - dilation[1] * (kernel_w - 1) - 1;
  if (free_h < 0 || free_w < 0) {
    view.fail("the kernel " + shape_string({kernel_h, kernel_w}) +
              " is larger than the padded input, input is " + edge_text(input));
  }
  return {kernel_h, kernel_w, free_h / stride[0] + 1, free_w / stride[1] + 1};
}

void expect_size(const NodeView& view, const Shape& shape) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  int64_t count = 1;
  for (const int64_t axis : shape) {
    if (axis < 1 || axis > kMost || (count *= axis) > kMost) {
      view.fail("a tensor must have 1.." + std::to_string(kMost) + " elements, its shape is " +
                shape_string(shape));
    }
  }
}

Edge spike_edge(const Shape& shape) {
  Edge edge;
  edge.type = EdgeType::kSpike;
  edge.shape = shape;
  edge.hi = 1;
  return edge;
}

Edge count_edge(const NodeView& view, const Shape& shape, int64_t hi, int64_t divisor) {
  if (hi > kMaxCount) {
    view.fail("a count may reach " + std::to_string(hi) + ", which is past " + std::to_string(kMaxCount));
  }
  Edge edge;
  edge.type = EdgeType::kCount;
  edge.shape = shape;
  edge.hi = hi;
  edge.divisor = divisor;
  return edge;
}

Edge sum_edge(const Shape& shape, int64_t lo, int64_t hi) {
  Edge edge;
  edge.type = EdgeType::kSum;
  edge.shape = shape;
  edge.lo = lo;
  edge.hi = hi;
  return edge;
}

Edge current_edge(const Shape& shape, int64_t lo, int64_t hi) {
  Edge edge = sum_edge(shape, lo, hi);
  edge.type = EdgeType::kCurrent;
  return edge;
}

Edge stream_edge(const Shape& shape, int64_t lo, int64_t hi) {
  Edge edge = sum_edge(shape, lo, hi);
  edge.type = EdgeType::kStream;
  return edge;
}

Edge real_edge(const Shape& shape) {
  Edge edge;
  edge.shape = shape;
  return edge;
}

}  // namespace snncore::ops
