// y = x W + b in float32, each sum in the order of the inputs, the bias last.
#pragma once

#include "base/align.h"
#include "kernels/row_weights.h"
#include "lsh/encoders/stored.h"

namespace snncore::lsh {

class FloatLayer {
 public:
  FloatLayer() = default;
  /// weights [inputs][outputs], bias [outputs] or null; outputs a multiple of kChannelPad.
  FloatLayer(const float* weights, size_t inputs, size_t outputs, const float* bias = nullptr);
  /// Takes F32 tensors: `weights` [inputs][outputs], `bias` [outputs] unless null.
  static FloatLayer read(Stored& stored, const char* weights, size_t inputs, size_t outputs,
                         const char* bias = nullptr);

  [[nodiscard]] size_t outputs() const noexcept { return outputs_; }
  void run(const float* rows, size_t count, float* out) const noexcept;

  [[nodiscard]] tensor::Tensor weights() const;
  [[nodiscard]] tensor::Tensor bias() const;

 private:
  [[nodiscard]] size_t place(size_t input, size_t output) const noexcept {
    return kernels::row_weight<kernels::kFloatBlock>(input, output, inputs_, outputs_);
  }

  size_t inputs_ = 0, outputs_ = 0;
  AlignedBuffer packed_, bias_;
};

}  // namespace snncore::lsh
