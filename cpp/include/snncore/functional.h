/// \file
/// Packed bits and single operations on arrays, with the kernels a model runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

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

  /// All zeros; `words` receives where the bits are written before anybody else sees them.
  static BitTensor make(const Shape& shape, uint64_t** words);
  /// The same where all words are written.
  static BitTensor unwritten(const Shape& shape, uint64_t** words);

  Shape shape_;
  size_t rows_ = 0, row_words_ = 0;
  std::shared_ptr<uint64_t> words_;
};

/// The bits of attention's queries, keys or values: [..., tokens, dim], packed along dim; or, `token_packed`,
/// [..., dim, tokens]. The axes in front (steps, samples, heads) are independent heads.
struct HeadTensor {
  BitTensor bits;
  bool token_packed = false;
};

/// Which product comes first. `kAuto`: K^T V where there are more tokens than dim.
enum class AttentionOrder : uint8_t { kAuto, kKvFirst, kQkFirst };

/// out [..., tokens, dim] = (Q K^T) V for every head, exact and the same in every order: at most 65,535
/// tokens and a dim of 32,767. At most `threads` share the heads, fewer where a thread would take longer to
/// start than to work.
SNNCORE_API void attention(const HeadTensor& q, const HeadTensor& k, const HeadTensor& v,
                           AttentionOrder order, size_t threads, int32_t* out);

/// Bits [..., tokens, tokens]: q[n] . k[m] >= threshold, without a count stored.
SNNCORE_API BitTensor attention_map(const HeadTensor& q, const HeadTensor& k, int64_t threshold,
                                    size_t threads);

/// out [..., tokens, dim] = map v for a binary map [..., tokens, tokens] packed along its last axis: each
/// token's sum of the values it attends to.
SNNCORE_API void attention_apply(const BitTensor& map, const HeadTensor& v, size_t threads, int32_t* out);

}  // namespace snncore
