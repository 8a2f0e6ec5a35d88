#include "lsh/encoders/ordered.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"

namespace snncore::lsh {

Ordered::Ordered(std::shared_ptr<const Encoder> encoder, std::vector<uint32_t> order)
    : encoder_(std::move(encoder)), order_(std::move(order)) {
  if (const auto* inner = dynamic_cast<const Ordered*>(encoder_.get())) {
    for (uint32_t& bit : order_) bit = inner->order_[bit];
    encoder_ = std::shared_ptr(inner->encoder_);
  }
}

void Ordered::logits(const float* rows, size_t count, float* logits) const noexcept {
  encoder_->logits(rows, count, logits);
  std::vector<float> row(bits());
  for (size_t r = 0; r < count; ++r, logits += bits()) {
    std::copy_n(logits, bits(), row.begin());
    for (size_t i = 0; i < bits(); ++i) logits[i] = row[order_[i]];
  }
}

Tensors Ordered::tensors() const {
  Tensors all = encoder_->tensors();
  const std::vector<int32_t> order(order_.begin(), order_.end());
  all.emplace("permutation", copied(order, {static_cast<int64_t>(bits())}));
  return all;
}

std::vector<uint32_t> read_permutation(Stored& stored, size_t bits) {
  const tensor::Tensor tensor = stored.take("permutation", DType::kI32, {static_cast<int64_t>(bits)});
  const auto* at = tensor.as<uint32_t>();
  std::vector<uint32_t> order(at, at + bits);
  std::vector<bool> there(bits);
  for (const uint32_t bit : order) {
    require(bit < bits && !there[bit], ErrorCode::kFormat,
            "encoder: expected 'permutation' to hold each of 0 to " + std::to_string(bits - 1) + " once");
    there[bit] = true;
  }
  return order;
}

}  // namespace snncore::lsh
