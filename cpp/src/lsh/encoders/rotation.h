// Random rotations without a matrix: rounds of random signs and a fast Walsh-Hadamard transform.
#pragma once

#include <cstdint>
#include <vector>

#include "lsh/encoders/stored.h"

namespace snncore::lsh {

/// `size` numbers, a power of two of at least 64, of which the first are a vector and the others zeros;
/// several rotations, each of `rounds` rounds.
class Rotations {
 public:
  /// The smallest size for vectors of `dim` numbers.
  static size_t size_for(size_t dim) noexcept;

  /// Drawn with a seed.
  Rotations(uint64_t seed, size_t count, size_t rounds, size_t size);
  /// Takes tensor "signs", U64 [count][rounds][size / 64]: set bits are -1.
  Rotations(Stored& stored, size_t count, size_t rounds, size_t size);

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t count() const noexcept { return count_; }
  /// Turns `values` [size] in place; lengths grow by growth(). Integers stay integers while float32 holds
  /// them.
  void turn(size_t rotation, float* values) const noexcept;
  /// A power of sqrt(2).
  [[nodiscard]] float growth() const noexcept;
  [[nodiscard]] tensor::Tensor signs() const;

 private:
  void set_flips(const uint64_t* words);

  size_t count_, rounds_, size_;
  std::vector<uint32_t> flips_;  // [count][rounds][size]: the sign bit of a float, or 0
};

}  // namespace snncore::lsh
