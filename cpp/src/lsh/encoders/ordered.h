// The bits of an encoder in another order.
#pragma once

#include <memory>
#include <vector>

#include "lsh/encoder.h"
#include "lsh/encoders/stored.h"

namespace snncore::lsh {

/// Logit i is logit order[i] of the encoder, whose kind it has. Tensors: those of the encoder and permutation
/// I32 [bits].
class Ordered final : public Encoder {
 public:
  /// `order` is a permutation of 0..bits - 1. Of an encoder that is ordered already it is the order of what
  /// that gives.
  Ordered(std::shared_ptr<const Encoder> encoder, std::vector<uint32_t> order);

  [[nodiscard]] std::string_view kind() const noexcept override { return encoder_->kind(); }
  [[nodiscard]] size_t dim() const noexcept override { return encoder_->dim(); }
  [[nodiscard]] size_t bits() const noexcept override { return order_.size(); }
  void logits(const float* rows, size_t count, float* logits) const noexcept override;
  [[nodiscard]] Tensors tensors() const override;

 private:
  std::shared_ptr<const Encoder> encoder_;
  std::vector<uint32_t> order_;
};

/// Takes tensor "permutation". Throws Error(kFormat) where it is none.
std::vector<uint32_t> read_permutation(Stored& stored, size_t bits);

}  // namespace snncore::lsh
