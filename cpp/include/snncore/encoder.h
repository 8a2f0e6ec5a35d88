/// \file
/// From vectors to binary codes whose Hamming distances tell which vectors are near.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <snncore/functional.h>

namespace snncore {

namespace lsh {
class Encoder;
}

/// How an encoder is fitted.
struct EncoderOptions {
  uint64_t seed = 0;
  /// srp and cross_polytope: hash vectors without their mean.
  bool center = true;
  /// itq: how often its rotation is improved, 0..1000.
  int iterations = 40;
  /// e2lsh: the width of its cells; 0: 4 times the mean distance to the tenth neighbour in a sample.
  double width = 0;
};

/// Gives each vector one logit a bit of its code: the bit is set where the logit is at least 0. Logits, and
/// so codes, are the same on every CPU and for any number of threads. Immutable; copies share it.
class SNNCORE_API Encoder {
 public:
  /// Fits "srp", "itq", "e2lsh" or "cross_polytope" to vectors [n, dim] of kF32, n >= 1, dim 1..32,768 (itq:
  /// at most 8,192), for `bits` bits, a multiple of 64 from 64 to 1024. At most 100,000 of the vectors,
  /// spread evenly, are looked at. Throws Error(kShape), or Error(kInvalidArgument) for anything else that
  /// does not fit.
  static Encoder fit(std::string_view kind, const TensorView& vectors, int64_t bits,
                     const EncoderOptions& options = {});

  /// The encoder that these tensors describe (docs/format.md, "Encoders"), which are copied. Throws
  /// Error(kFormat).
  static Encoder from_tensors(std::string_view kind, int64_t dim, int64_t bits,
                              const std::map<std::string, TensorView>& tensors);
  /// For the library's own use, as `get`.
  explicit Encoder(std::shared_ptr<const lsh::Encoder> encoder);

  [[nodiscard]] std::string_view kind() const noexcept;
  [[nodiscard]] int64_t dim() const noexcept;
  [[nodiscard]] int64_t bits() const noexcept;

  /// Logits of vectors [n, dim] of kF32; `out` is [n, bits]. `threads` is 1..256. Throws Error(kShape), or
  /// Error(kInvalidArgument) for values that are not finite, threads out of range and another length of
  /// `out`.
  void logits(const TensorView& vectors, std::span<float> out, int threads = 1) const;
  /// Codes [n, bits] of vectors [n, dim] of kF32. Throws as logits does.
  [[nodiscard]] BitTensor encode(const TensorView& vectors, int threads = 1) const;

  /// What from_tensors takes: valid as long as `owner`.
  struct Parts {
    std::map<std::string, TensorView> tensors;
    std::shared_ptr<const void> owner;
  };
  [[nodiscard]] Parts tensors() const;

  [[nodiscard]] const lsh::Encoder& get() const noexcept { return *encoder_; }
  [[nodiscard]] const std::shared_ptr<const lsh::Encoder>& share() const noexcept { return encoder_; }

 private:
  std::shared_ptr<const lsh::Encoder> encoder_;
};

}  // namespace snncore
