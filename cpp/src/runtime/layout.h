// The order of the axes of a caller's array.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <snncore/tensor.h>

namespace snncore::runtime {

/// Where each axis of an array is. Absent axes have size 1 and stride 0.
struct Axes {
  int64_t t = 1, n = 1, c = 1, h = 1, w = 1;
  int64_t st = 0, sn = 0, sc = 0, sh = 0, sw = 0;  // strides in elements
};

/// Throws Error(kInvalidArgument) unless `layout` is a permutation of N C H W (image) or N C (vector), with
/// or without T; N may be missing, too. Returns true when it has a T.
bool check_layout(const std::string& layout, bool image, const std::string& what);

/// Reads a shape in a checked layout. Throws Error(kShape) when the rank differs.
Axes axes_of(const std::string& layout, const Shape& shape, const std::string& what);

}  // namespace snncore::runtime
