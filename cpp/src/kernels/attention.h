// Matrices and groups of bits: attention, maps, counts of heads, and the gate that weighs such counts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

/// Lanes of byte planes are padded to a multiple of this many: one word of bits.
inline constexpr size_t kPlaneLanes = 64;

/// A bit matrix turned for kernels whose lanes are its rows or its columns: byte b of lane l is at
/// bytes[b * pitch + l] and holds the lane's elements 8 * b .. 8 * b + 7, lowest bit first.
struct BytePlanes {
  const uint8_t* bytes;
  size_t pitch;  // multiple of kPlaneLanes
  size_t count;  // planes: elements of a lane / 8, rounded up
  size_t lanes;  // <= pitch; those past it, up to a multiple of kPlaneLanes, are readable
};

/// Bit rows read byte by byte, in either direction: byte b of row r is at
/// bytes[r * row_stride + b * byte_stride]. One of the strides is 1. Where it is that of bytes, rows end with
/// whole words; where it is that of rows, those past them, up to a multiple of 16, are readable.
struct ByteRows {
  const uint8_t* bytes;
  size_t row_stride, byte_stride;
  size_t rows;
};

/// Rows of counts to be added where a bit is set.
struct CountRows {
  const uint16_t* counts;  // [inputs][pitch], kAlign-aligned
  size_t inputs;
  size_t pitch;        // multiple of kPlaneLanes; lanes past `lanes` are readable
  size_t lanes;        // 1 or more
  uint32_t max_count;  // no count is larger; inputs * max_count <= INT32_MAX
};

inline constexpr size_t kGroupPad = 8;

/// Packed rows whose bits are groups of `dim`, one behind the other.
struct GroupRows {
  const uint64_t* x;  // [count][words]
  const uint64_t* y;  // null, or rows that have to have a bit, too
  size_t count, words;
  size_t groups, dim;  // groups * dim bits, in `words` words
};

/// Rows that are weighed and added up, then compared with a threshold.
struct GateTerm {
  const int32_t* sums;    // [rows], `stride` apart
  size_t stride;          // elements
  const double* weights;  // [channels]
};
struct GateTile {
  const GateTerm* terms;
  size_t count;
  double threshold;
  size_t rows, channels;
  uint64_t* out;  // [rows][ceil(channels / 64)]
};

}  // namespace snncore::kernels
