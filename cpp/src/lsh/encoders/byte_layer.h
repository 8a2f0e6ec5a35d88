// Exact sums of unsigned bytes times weights of int8, or of +1 and -1, which a file holds as bits.
#pragma once

#include "base/align.h"
#include "lsh/encoders/stored.h"

namespace snncore::lsh {

class ByteLayer {
 public:
  ByteLayer() = default;
  /// Takes tensor `name`: I8 [inputs][outputs], or U64 [inputs][outputs / 64], whose set bits are +1. `zero`
  /// is what an input byte says for 0. inputs is at most kMaxDim, outputs a multiple of 64.
  ByteLayer(Stored& stored, const char* name, size_t inputs, size_t outputs, int32_t zero);

  [[nodiscard]] size_t outputs() const noexcept { return outputs_; }
  /// Bytes of an input row; those behind the inputs are 0.
  [[nodiscard]] size_t row_bytes() const noexcept { return (inputs_ + 3) / 4 * 4; }
  void run(const uint8_t* rows, size_t count, int32_t* sums) const noexcept;

  [[nodiscard]] tensor::Tensor weights() const;

 private:
  [[nodiscard]] int8_t& code(size_t input, size_t output) const noexcept {
    return packed_.as<int8_t>()[(input / 4 * outputs_ + output) * 4 + input % 4];
  }
  void sum_codes(int32_t zero);

  size_t inputs_ = 0, outputs_ = 0;
  bool signs_ = false;
  AlignedBuffer packed_, code_sums_, init_;
};

}  // namespace snncore::lsh
