// A checksum of data that nobody meant to change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace snncore::lsh {

/// Every step is a bijection of the state and of the word: two runs of words that differ in one word never
/// agree, and others by chance of 2^-64.
class Checksum {
 public:
  void add(const void* data, size_t bytes) noexcept {
    const auto* at = static_cast<const unsigned char*>(data);
    add_word(bytes);
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      add_word(word);
    }
    uint64_t rest = 0;
    if (bytes > 0) std::memcpy(&rest, at, bytes);
    add_word(rest);
  }
  [[nodiscard]] uint64_t value() const noexcept { return state_; }

 private:
  void add_word(uint64_t word) noexcept {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15;
    state_ ^= state_ >> 29;
  }
  uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace snncore::lsh
