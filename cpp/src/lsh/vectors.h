// Vectors as an index keeps them, and what is computed of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <snncore/lsh.h>

#include "kernels/padding.h"
#include "lsh/column.h"

namespace snncore::lsh {

inline constexpr size_t kPrefetched = 1024;  // of a row; the processor fetches on by itself

/// Bytes on a grid: value = low + step * (code + 128), clamped.
struct Grid {
  float low = 0, step = 1;

  /// The grid of rows [count][dim]: over their range for l2, else even about 0, of vectors of length 1 for
  /// cosine.
  static Grid over(Metric metric, const float* rows, size_t count, size_t dim);

  void codes(const float* values, size_t count, int8_t* out) const noexcept;
  void values(const int8_t* codes, size_t count, float* out) const noexcept;
};

/// IEEE half precision, rounded to even; from kHalfEnd on infinite.
inline constexpr float kHalfEnd = 65520.0F;
uint16_t to_half(float value) noexcept;
void from_half(const uint16_t* from, size_t count, float* to) noexcept;

/// Rows of `dim` values in one of the types of Store.
class Vectors {
 public:
  Vectors(Store store, size_t dim, const Grid& grid) : store_(store), dim_(dim), grid_(grid) {}
  /// Rows that a file holds.
  Vectors(Store store, size_t dim, const Grid& grid, tensor::Tensor stored)
      : store_(store), dim_(dim), grid_(grid), bytes_(std::move(stored)) {}

  [[nodiscard]] Store store() const noexcept { return store_; }
  [[nodiscard]] bool empty() const noexcept { return store_ == Store::kNone; }
  [[nodiscard]] size_t row_bytes() const noexcept;
  [[nodiscard]] const Column<uint8_t>& column() const noexcept { return bytes_; }

  void add(const float* rows, size_t count);
  void add(const Vectors& from, size_t slot) {
    bytes_.append(from.bytes_.data() + slot * row_bytes(), row_bytes());
  }
  void reserve(size_t rows) { bytes_.reserve(rows * row_bytes()); }

  /// Asks for a row that will be needed soon.
  void prefetch(size_t slot) const noexcept {
    const uint8_t* row = bytes_.data() + slot * row_bytes();
    for (size_t at = 0; at < row_bytes() && at < kPrefetched; at += kernels::kAlign) {
      __builtin_prefetch(row + at);
    }
  }
  /// Row `slot` as floats: in place, or in `scratch` [dim].
  const float* row(size_t slot, float* scratch) const noexcept;
  [[nodiscard]] const int8_t* codes(size_t slot) const noexcept {
    return reinterpret_cast<const int8_t*>(bytes_.data() + slot * row_bytes());
  }

 private:
  Store store_;
  size_t dim_;
  Grid grid_;
  Column<uint8_t> bytes_;
};

}  // namespace snncore::lsh
