// What the kernel sweeps share: levels, sizes, random numbers, guarded buffers, packed rows.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"

namespace snncore::test {

/// SplitMix64: the same cases on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// Uniform in lo..hi, both included.
  int64_t in(int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(next() % static_cast<uint64_t>(hi - lo + 1));
  }
  size_t size(size_t lo, size_t hi) { return lo + static_cast<size_t>(next() % (hi - lo + 1)); }
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }
  float real() { return static_cast<float>(static_cast<double>(next() >> 11) * 0x1p-52 - 1.0); }
  template <typename T, size_t N>
  T pick(const T (&from)[N]) {
    return from[size(0, N - 1)];
  }

 private:
  uint64_t state_;
};

/// Channel and input counts to sweep. SNNCORE_TEST_THIN keeps the telling ones, for emulated runs.
inline std::vector<size_t> sizes() {
#if defined(SNNCORE_TEST_THIN)
  return {0, 1, 63, 64, 65, 130};
#else
  std::vector<size_t> all(131);
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
#endif
}

/// The tables of every available level, scalar first.
inline std::vector<kernels::KernelTable> tables() {
  std::vector<kernels::KernelTable> found;
  for (size_t level = 0; level < kernels::level_count(); ++level) {
    kernels::KernelTable table{};
    if (kernels::level_table(level, table)) found.push_back(table);
  }
  return found;
}

/// `count` elements that start `shift` elements after an aligned address, between guard bytes.
template <typename T>
class Guarded {
 public:
  explicit Guarded(size_t count, size_t shift = 0)
      : count_(count), shift_(shift), buffer_(kGuard + (shift + count) * sizeof(T) + kGuard) {
    std::memset(buffer_.data(), kByte, buffer_.size());
    if (count > 0) std::memset(data(), 0, count * sizeof(T));
  }
  T* data() { return reinterpret_cast<T*>(buffer_.data() + kGuard) + shift_; }
  T& operator[](size_t i) { return data()[i]; }
  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] bool intact() const {
    const size_t begin = kGuard + shift_ * sizeof(T), end = begin + count_ * sizeof(T);
    for (size_t i = 0; i < buffer_.size(); ++i) {
      if ((i < begin || i >= end) && buffer_.data()[i] != std::byte{kByte}) return false;
    }
    return true;
  }
  bool operator==(Guarded& other) {
    return count_ == other.count_ &&
           (count_ == 0 || std::memcmp(data(), other.data(), count_ * sizeof(T)) == 0);
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr uint8_t kByte = 0xa5;
  size_t count_, shift_;
  AlignedBuffer buffer_;
};

/// Random spikes of a tile, and memory for the kernels that read them; about one row in eight is the shared
/// row of zeros, and some rows serve several taps.
class SpikeRows {
 public:
  SpikeRows(Random& random, size_t pixels, size_t taps, size_t inputs, double density)
      : words_(words_for(inputs)),
        pixels_(pixels),
        bits_((pixels * taps + 1) * words_),
        pointers_(pixels * taps + 1),
        index_(pixels * taps),
        scratch_(kernels::addrows_scratch(pixels * taps + 1, inputs, pixels)) {
    const size_t count = pixels * taps;
    for (size_t r = 0; r <= count; ++r) pointers_[r] = bits_.data() + r * words_;
    for (size_t r = 0; r < count; ++r) {
      const bool padding = random.chance(0.125);
      index_[r] = static_cast<uint32_t>(padding ? count : random.chance(0.125) ? random.size(0, r) : r);
      for (size_t i = 0; i < inputs; ++i) {
        if (random.chance(density)) set_bit(bits_.data() + r * words_, i);
      }
    }
  }
  kernels::SpikeTile tile() { return {pointers_.data(), pointers_.size(), index_.data(), pixels_}; }
  std::byte* scratch() { return reinterpret_cast<std::byte*>(scratch_.data()); }
  [[nodiscard]] bool intact() const { return scratch_.intact(); }
  [[nodiscard]] bool fires(size_t row, size_t i) const { return get_bit(pointers_[index_[row]], i); }

 private:
  size_t words_, pixels_;
  Guarded<uint64_t> bits_;
  std::vector<const uint64_t*> pointers_;
  std::vector<uint32_t> index_;
  Guarded<uint8_t> scratch_;
};

}  // namespace snncore::test
