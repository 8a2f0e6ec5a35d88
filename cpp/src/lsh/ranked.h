// Slots with distances, as numbers whose order is that of (distance, slot).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace snncore::lsh {

using Ranked = uint64_t;

constexpr Ranked ranked(uint32_t distance, size_t slot) noexcept {
  return uint64_t{distance} << 32 | static_cast<uint32_t>(slot);
}
constexpr uint32_t key_of(Ranked r) noexcept { return static_cast<uint32_t>(r >> 32); }
constexpr size_t slot_of(Ranked r) noexcept { return static_cast<uint32_t>(r); }

/// Numbers in the order of floats; -0 is 0, NaN (from a damaged file) comes last.
inline uint32_t in_order(float value) noexcept {
  if (value != value) return UINT32_MAX;
  const auto bits = std::bit_cast<uint32_t>(value + 0.0F);
  return (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
}
inline float from_order(uint32_t key) noexcept {
  return std::bit_cast<float>((key & 0x80000000) != 0 ? key & 0x7fffffff : ~key);
}

/// The `count` nearest, in any order.
inline void select_nearest(std::vector<Ranked>& list, size_t count) {
  if (count >= list.size()) return;
  std::nth_element(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count), list.end());
  list.resize(count);
}

/// The `count` nearest, in order.
inline void keep_nearest(std::vector<Ranked>& list, size_t count) {
  select_nearest(list, count);
  std::sort(list.begin(), list.end());
}

}  // namespace snncore::lsh
