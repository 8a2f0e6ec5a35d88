// The tensors of an encoder, checked one by one while it is read.
#pragma once

#include <span>
#include <string>

#include "lsh/encoder.h"

namespace snncore::lsh {

class Stored {
 public:
  Stored(std::string_view kind, const Tensors& tensors) : kind_(kind), left_(tensors) {}

  [[nodiscard]] bool has(const char* name, DType dtype) const;
  /// Hidden units of an mlp, a multiple of kBitStep up to kMaxBits: the first axis of "residual".
  [[nodiscard]] size_t hidden_width() const;

  /// The tensor of this name, type and shape, F32 with finite values; it counts as read. Throws
  /// Error(kFormat).
  tensor::Tensor take(const char* name, DType dtype, const Shape& shape);
  /// Throws Error(kFormat) where a tensor was not read.
  void expect_all_read() const;

 private:
  [[noreturn]] void fail(const std::string& message) const;

  std::string kind_;
  Tensors left_;
};

/// An owning tensor with a copy of the values.
tensor::Tensor copied(std::span<const float> values, const Shape& shape);
tensor::Tensor copied(std::span<const uint64_t> values, const Shape& shape);
tensor::Tensor copied(std::span<const int32_t> values, const Shape& shape);

}  // namespace snncore::lsh
