// Arithmetic on packed rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace snncore {

static_assert((-1 >> 1) == -1, "arithmetic right shift of signed integers");

constexpr size_t words_for(size_t bits) noexcept { return (bits + 63) / 64; }

/// A mask of the valid bits in the last word of a row of `bits` elements (all ones when the row fills its
/// words).
constexpr uint64_t tail_mask(size_t bits) noexcept {
  const size_t rest = bits % 64;
  return rest == 0 ? ~uint64_t{0} : (uint64_t{1} << rest) - 1;
}

constexpr bool get_bit(const uint64_t* row, size_t i) noexcept {
  return ((row[i / 64] >> (i % 64)) & 1) != 0;
}
constexpr void set_bit(uint64_t* row, size_t i) noexcept { row[i / 64] |= uint64_t{1} << (i % 64); }

/// Copies `count` bits, one at least, from `first` on to the start of `out`, a word at a time; the tail of
/// `out` becomes zero.
inline void extract_bits(const uint64_t* row, size_t first, size_t count, uint64_t* out) noexcept {
  const size_t word = first / 64, shift = first % 64, words = words_for(count);
  const size_t last = (first + count - 1) / 64;
  for (size_t i = 0; i < words; ++i) {
    uint64_t v = row[word + i] >> shift;
    if (shift != 0 && word + i + 1 <= last) v |= row[word + i + 1] << (64 - shift);
    out[i] = v;
  }
  out[words - 1] &= tail_mask(count);
}

/// Bit i as a byte of 0 or 1, i < count.
inline void unpack_bits(const uint64_t* words, size_t count, uint8_t* out) noexcept {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    // Byte k keeps bit k of the eight; the carry of an addition says which bytes are not 0.
    const uint64_t kept = (words[i / 64] >> (i % 64) & 0xff) * 0x0101010101010101 & 0x8040201008040201;
    const uint64_t bytes = (kept + 0x7f7f7f7f7f7f7f7f) >> 7 & 0x0101010101010101;
    std::memcpy(out + i, &bytes, sizeof(bytes));
  }
  for (; i < count; ++i) out[i] = get_bit(words, i) ? 1 : 0;
}

}  // namespace snncore
