/// \file
/// Nearest neighbours of binary codes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <snncore/functional.h>

namespace snncore {

/// Codes of one length, laid out for scanning, and the nearest of them by Hamming distance: exact, the same
/// on every CPU and for any number of threads. Ids count the codes in the order in which they were added,
/// from 0. Threads may search at the same time; adding needs the index for itself.
class SNNCORE_API BinaryIndex {
 public:
  /// Codes of `bits` bits, 1..65,536. Throws Error(kInvalidArgument).
  explicit BinaryIndex(int64_t bits);
  ~BinaryIndex();
  BinaryIndex(BinaryIndex&&) noexcept;
  BinaryIndex& operator=(BinaryIndex&&) noexcept;

  [[nodiscard]] int64_t bits() const noexcept;
  [[nodiscard]] int64_t size() const noexcept;

  /// Appends codes of shape [n, bits]. Throws Error(kShape) and changes nothing.
  void add(const BitTensor& codes);

  /// For each row of `queries`, shape [q, bits], the k nearest codes, nearest first, among equally near ones
  /// the one added first. `ids` and `distances` are [q, k]; where there are fewer than k codes the rest is -1
  /// and INT32_MAX. `threads` is 1..256. Throws Error(kShape), or Error(kInvalidArgument) for k or threads
  /// out of range and for spans that are not q * k long.
  void search(const BitTensor& queries, int64_t k, std::span<int64_t> ids, std::span<int32_t> distances,
              int threads = 1) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace snncore
