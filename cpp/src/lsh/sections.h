// Columns as tensors of a file, and the way back.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "base/checked.h"
#include "kernels/hamming.h"
#include "lsh/column.h"
#include "lsh/vectors.h"

namespace snncore::lsh {

inline size_t ceil_blocks(size_t codes) {
  return (codes + kernels::kHammingBlock - 1) / kernels::kHammingBlock;
}

/// Files have no name for half precision: its bits are I16.
inline DType stored_dtype(Store store) {
  return store == Store::kF32 ? DType::kF32 : store == Store::kF16 ? DType::kI16 : DType::kI8;
}

/// The elements of a column as a tensor that does not keep them alive.
template <typename T>
tensor::Tensor view_of(const Column<T>& column, DType dtype, Shape shape) {
  tensor::Tensor t;
  t.dtype = dtype;
  t.shape = std::move(shape);
  t.data = reinterpret_cast<const std::byte*>(column.data());
  t.bytes = column.size() * sizeof(T);
  return t;
}

/// Hands out sections by name, each of which must be there once, as it is expected.
class SectionReader {
 public:
  explicit SectionReader(std::map<std::string, tensor::Tensor> sections) : sections_(std::move(sections)) {}

  tensor::Tensor take(const std::string& name, DType dtype, const Shape& shape) {
    const auto at = sections_.find(name);
    require(at != sections_.end(), ErrorCode::kFormat, "section '" + name + "' is missing");
    tensor::Tensor taken = std::move(at->second);
    sections_.erase(at);
    require(taken.dtype == dtype && taken.shape == shape, ErrorCode::kFormat,
            "section '" + name + "': expected " + dtype_name(dtype) + " " + shape_string(shape) + ", is " +
                dtype_name(taken.dtype) + " " + shape_string(taken.shape));
    return taken;
  }

  /// Of a section's first axis; 0 where there is none.
  [[nodiscard]] int64_t length(const std::string& name) const {
    const auto at = sections_.find(name);
    return at == sections_.end() || at->second.shape.empty() ? 0 : at->second.shape[0];
  }

  void expect_all_taken() const {
    require(sections_.empty(), ErrorCode::kFormat,
            "section '" + (sections_.empty() ? "" : sections_.begin()->first) + "' belongs to nothing");
  }

 private:
  std::map<std::string, tensor::Tensor> sections_;
};

}  // namespace snncore::lsh
