// Random numbers of a seed, the same on every CPU.
#pragma once

#include <cmath>
#include <cstdint>

namespace snncore::lsh {

/// SplitMix64.
class Random {
 public:
  explicit Random(uint64_t seed) noexcept : state_(seed) {}

  uint64_t word() noexcept {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// 0 <= u < 1.
  double uniform() noexcept { return static_cast<double>(word() >> 11) * 0x1p-53; }
  /// Mean 0, deviation 1: a point of the unit disk, drawn outwards (the polar method).
  double normal() noexcept {
    for (;;) {
      const double x = 2 * uniform() - 1, y = 2 * uniform() - 1, square = x * x + y * y;
      if (square > 0 && square < 1) return x * std::sqrt(-2 * std::log(square) / square);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace snncore::lsh
