// What the `infer` functions have in common: checks with one wording, and edges in their one canonical form.
#pragma once

#include <initializer_list>
#include <string>

#include "ops/op.h"

namespace snncore::ops {

/// Inputs that a node of several may have.
inline constexpr size_t kMaxInputs = 64;

/// Exactly these attributes and, of tensor roles, all of `roles` and any of `optional`.
void expect_attrs(const NodeView& view, std::initializer_list<const char*> attrs);
void expect_roles(const NodeView& view, std::initializer_list<const char*> roles,
                  std::initializer_list<const char*> optional = {});
void expect_inputs(const NodeView& view, size_t count);
/// `least` .. 64 inputs of one shape.
void expect_alike_inputs(const NodeView& view, size_t least);

/// "u3 [8, 8, 16]", "f32 [10]", "u8 pixel [32, 32, 3]": what messages call an edge.
std::string edge_text(const Edge& edge);
[[noreturn]] void refuse_input(const NodeView& view, const Edge& edge, const std::string& expected);

/// An integer in [lo, hi], named in the message.
int64_t integer_in(const NodeView& view, const std::string& key, int64_t lo, int64_t hi);
/// Every entry is a finite number.
void expect_finite(const NodeView& view, const std::string& role, const tensor::Tensor& tensor);
/// Every entry of an I32 tensor is in [lo, hi].
void expect_between(const NodeView& view, const std::string& role, const tensor::Tensor& tensor, int64_t lo,
                    int64_t hi);

/// A sliding window over an image; counts from the attributes stride, padding and, if asked for, dilation.
struct Window {
  int64_t kernel_h, kernel_w, out_h, out_w;
};
Window slide(const NodeView& view, const Edge& input, int64_t kernel_h, int64_t kernel_w, bool dilated);

/// Axes are 1 .. 2^31 - 1 and so is their product.
void expect_size(const NodeView& view, const Shape& shape);

Edge spike_edge(const Shape& shape);
Edge count_edge(const NodeView& view, const Shape& shape, int64_t hi, int64_t divisor);
Edge sum_edge(const Shape& shape, int64_t lo, int64_t hi);
Edge current_edge(const Shape& shape, int64_t lo, int64_t hi);
Edge stream_edge(const Shape& shape, int64_t lo, int64_t hi);
Edge real_edge(const Shape& shape);

}  // namespace snncore::ops
