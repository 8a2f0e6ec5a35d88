#include "ops/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/bits.h"
#include "base/checked.h"
#include "ops/check.h"

namespace snncore::ops {
namespace {

/// Does a sym tensor hold the one code that its encoding leaves out, -2^(b-1)?
bool holds_lowest(const tensor::Tensor& w) {
  if (w.bits == 8) return std::memchr(w.data, 0x80, w.bytes) != nullptr;
  const auto* words = w.as<uint64_t>();
  return std::any_of(words, words + w.bytes / 8, [&](uint64_t x) {
    if (w.bits == 2) return ((x >> 1) & ~x & 0x5555555555555555U) != 0;
    const uint64_t y = x ^ 0x8888888888888888U;  // a nibble that is 0 now was 1000
    return ((y - 0x1111111111111111U) & ~y & 0x8888888888888888U) != 0;
  });
}

void check_codes(const NodeView& view, const tensor::Tensor& w) {
  const auto fail = [&](const std::string& message) { view.fail("weight " + message); };
  if (w.bits != 1 && w.bits != 2 && w.bits != 4 && w.bits != 8) {
    fail("has " + std::to_string(w.bits) + " bits, not 1, 2, 4 or 8");
  }
  if (w.encoding == tensor::Encoding::kSym && w.bits == 1) {
    fail("has the encoding sym, which needs at least 2 bits");
  }
  const int64_t count = element_count(w.logical, view.label() + ": weight");
  const int64_t used = checked_mul(count, w.bits, view.label() + ": weight");
  const Shape stored = w.bits == 8 ? w.logical : Shape{used / 64 + (used % 64 != 0)};
  const DType dtype = w.bits == 8 ? DType::kI8 : DType::kU64;
  if (w.dtype != dtype || w.shape != stored) {
    fail("of " + std::to_string(w.bits) + " bits must be stored as " + dtype_name(dtype) + " " +
         shape_string(stored) + ", is " + dtype_name(w.dtype) + " " + shape_string(w.shape));
  }
  const auto bits = static_cast<size_t>(used);
  if (w.bits < 8 && (w.as<uint64_t>()[bits / 64 - (bits % 64 == 0)] & ~tail_mask(bits)) != 0) {
    fail("has bits set after its last element");
  }
  if (w.encoding == tensor::Encoding::kSym && holds_lowest(w)) {
    fail("has the code " + std::to_string(-(1 << (w.bits - 1))) + ", which sym leaves out");
  }
}

/// Finite, and so are the real weights in float32 where there are any.
void check_scale(const NodeView& view, const tensor::Tensor& weight, int64_t channels) {
  const bool one = view.find("scale")->shape == Shape{1};
  const tensor::Tensor& scale = view.get("scale", DType::kF64, {one ? 1 : channels});
  expect_finite(view, "scale", scale);
  if (view.inputs[0]->type != EdgeType::kReal) return;
  const double most = std::numeric_limits<float>::max() / std::ldexp(1.0, weight.bits);
  const auto* s = scale.as<double>();
  if (std::any_of(s, s + scale.shape[0], [&](double x) { return std::fabs(x) > most; })) {
    view.fail("scale makes weights that float32 does not hold");
  }
}

}  // namespace

const tensor::Tensor& weight_of(const NodeView& view, size_t rank) {
  const tensor::Tensor* w = view.find("weight");
  if (w == nullptr) view.fail("tensor 'weight' is missing");
  const Shape& shape = weight_shape(*w);
  if (shape.size() != rank) {
    view.fail("weight must have " + std::to_string(rank) + " axes, has shape " + shape_string(shape));
  }
  expect_size(view, shape);
  if (w->coded()) {
    check_codes(view, *w);
  } else if (w->dtype == DType::kF32) {
    expect_finite(view, "weight", *w);
  } else {
    view.fail(std::string("weight must be codes or f32, is ") + dtype_name(w->dtype));
  }
  return *w;
}

Edge infer_weighted(const NodeView& view, const tensor::Tensor& weight, const Shape& shape) {
  const EdgeType in = view.inputs[0]->type;
  const int64_t channels = shape.back();
  expect_size(view, shape);
  const bool sums = in == EdgeType::kSum || in == EdgeType::kCurrent || in == EdgeType::kStream;
  if (weight.coded()) {
    if (sums) refuse_input(view, *view.inputs[0], "spikes, counts, pixels or f32 for coded weights");
    if (in == EdgeType::kReal) {
      expect_roles(view, {"weight", "scale"}, {"bias"});
    } else {
      expect_roles(view, {"weight", "scale"});
    }
    check_scale(view, weight, channels);
    if (in != EdgeType::kReal) return sum_edge(shape, 0, 0);
  } else {
    if (sums || in == EdgeType::kPixel) {
      refuse_input(view, *view.inputs[0], "spikes, counts or f32 for float weights");
    }
    expect_roles(view, {"weight"}, {"bias"});
  }
  if (view.find("bias") != nullptr) expect_finite(view, "bias", view.get("bias", DType::kF32, {channels}));
  return real_edge(shape);
}

}  // namespace snncore::ops
