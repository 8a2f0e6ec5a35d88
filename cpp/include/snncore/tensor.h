/// \file
/// Views of arrays that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <snncore/version.h>

namespace snncore {

/// Element types of user arrays and of stored tensors. `kB1` is a packed bit: see BitView. `kI16` is found in
/// files only.
enum class DType : uint8_t { kB1, kBool, kU8, kI8, kI32, kI64, kU64, kF32, kF64, kI16 };

/// "b1", "bool", "u8", "i8", "i16", "i32", "i64", "u64", "f32" or "f64".
SNNCORE_API const char* dtype_name(DType dtype) noexcept;
/// Bytes of one element; 0 for kB1.
SNNCORE_API size_t dtype_size(DType dtype) noexcept;

/// A logical shape, outermost axis first.
using Shape = std::vector<int64_t>;

/// "[2, 3, 32, 32]".
SNNCORE_API std::string shape_string(const Shape& shape);

/// A dense C-ordered array that the caller owns and keeps alive for the call. Every non-zero byte of a kBool
/// array is a spike; spikes of kU8 and kF32 are 0 or 1. A kB1 array is packed: the last axis of `shape` is
/// the packed one, each row starts on a new 64-bit word (little-endian, bit i of word j is element 64 * j +
/// i), bits past the end of a row are zero.
struct TensorView {
  const void* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;
};

}  // namespace snncore
