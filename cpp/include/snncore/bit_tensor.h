/// \file
/// Packed bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <snncore/tensor.h>

namespace snncore {

struct Currents;
struct HeadTensor;
struct IntNeuronSpec;
struct NeuronSpec;

/// An owning packed tensor. The last axis of `shape` is packed; each row starts on a new word and tail bits
/// are zero. Copies share the words.
class SNNCORE_API BitTensor {
 public:
  /// Packs an array of kBool, kU8, kI8 or kF32 (non-zero is a spike) or copies a packed one (kB1, checked:
  /// tail bits zero).
  static BitTensor pack(const TensorView& array);

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] const uint64_t* words() const noexcept { return words_.get(); }
  [[nodiscard]] size_t row_words() const noexcept { return row_words_; }
  [[nodiscard]] size_t rows() const noexcept { return rows_; }
  /// One byte an element, 0 or 1, in C order; `out` has room for the product of `shape`.
  void unpack(uint8_t* out) const;
  /// The number of set bits.
  [[nodiscard]] uint64_t popcount() const;
  [[nodiscard]] TensorView view() const;

 private:
  friend class Session;
  friend BitTensor attention_map(const HeadTensor& q, const HeadTensor& k, int64_t threshold, size_t threads);
  friend BitTensor lif_int(const Currents& x, const IntNeuronSpec& spec, size_t threads, int32_t* membranes);
  friend BitTensor lif(const Currents& x, const NeuronSpec& spec, size_t threads);

  /// `words` receives where the bits are written before anybody else sees them: all of them, tail bits too,
  /// after `make`, which leaves them as they come.
  static BitTensor make(const Shape& shape, uint64_t** words);
  static BitTensor zeros(const Shape& shape, uint64_t** words);

  Shape shape_;
  size_t rows_ = 0, row_words_ = 0;
  std::shared_ptr<uint64_t> words_;
};

}  // namespace snncore
