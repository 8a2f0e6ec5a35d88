// Sizes from files and callers, multiplied and added without wrapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <snncore/error.h>
#include <snncore/tensor.h>

namespace snncore {

/// Throws `Error(code, message)` unless `ok`.
inline void require(bool ok, ErrorCode code, const std::string& message) {
  if (!ok) throw Error(code, message);
}

inline int64_t checked_mul(int64_t a, int64_t b, const std::string& what) {
  int64_t r = 0;
  if (__builtin_mul_overflow(a, b, &r)) throw Error(ErrorCode::kFormat, what + ": size overflows 64 bits");
  return r;
}

inline int64_t checked_add(int64_t a, int64_t b, const std::string& what) {
  int64_t r = 0;
  if (__builtin_add_overflow(a, b, &r)) throw Error(ErrorCode::kFormat, what + ": size overflows 64 bits");
  return r;
}

/// The number of elements; every axis must be >= 0.
inline int64_t element_count(const Shape& shape, const std::string& what) {
  int64_t n = 1;
  for (const int64_t axis : shape) {
    require(axis >= 0, ErrorCode::kFormat, what + ": negative axis in shape " + shape_string(shape));
    n = checked_mul(n, axis, what);
  }
  return n;
}

}  // namespace snncore
