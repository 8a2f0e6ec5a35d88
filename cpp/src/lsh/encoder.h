// From vectors to codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace snncore::lsh {

/// What a file keeps of an encoder, by name.
using Tensors = std::map<std::string, tensor::Tensor>;

inline constexpr size_t kMaxDim = 32768;                 // sums of byte products stay in int32
inline constexpr size_t kBitStep = 64, kMaxBits = 1024;  // codes have a multiple of kBitStep bits

/// Gives each vector one logit a bit of its code; the bit is set where the logit is at least 0. Logits are
/// added up in a fixed order: codes are the same on every ISA and thread count. Threads may share it.
class Encoder {
 public:
  virtual ~Encoder() = default;
  [[nodiscard]] virtual std::string_view kind() const noexcept = 0;  // "srp", "itq", "mlp", ...
  [[nodiscard]] virtual size_t dim() const noexcept = 0;
  [[nodiscard]] virtual size_t bits() const noexcept = 0;

  /// rows [count][dim], finite; logits [count][bits].
  virtual void logits(const float* rows, size_t count, float* logits) const noexcept = 0;

  /// With kind, dim and bits all that read_encoder needs to make it again.
  [[nodiscard]] virtual Tensors tensors() const { return {}; }

  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

/// Packs signs: bit i % 64 of word i / 64 of a row is logit i >= 0. codes [count][ceil(bits / 64)].
void sign_bits(const float* logits, size_t count, size_t bits, uint64_t* codes) noexcept;

}  // namespace snncore::lsh
