// Weights as rows that spikes gather: in blocks of channels, and codes in parts that a first-level cache
// holds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/padding.h"

namespace snncore::kernels {

/// Weight rows for event gathering lie in blocks of output channels, so that what one tap and one part of its
/// inputs need of a block stays in the first-level cache: [block][row][channels of the block].
inline constexpr size_t kCodeBlock = 128;   // channels of a block of int8 codes; the last may have fewer
inline constexpr size_t kFloatBlock = 64;   // of floats
inline constexpr size_t kPartInputs = 128;  // inputs that a kernel takes at a time

constexpr size_t input_parts(size_t inputs) noexcept { return (inputs + kPartInputs - 1) / kPartInputs; }

/// Where `row` of `rows` keeps its weight of a channel.
template <size_t kBlock>
constexpr size_t row_weight(size_t row, size_t channel, size_t rows, size_t channels_padded) noexcept {
  const size_t first = channel / kBlock * kBlock;
  const size_t width = channels_padded - first < kBlock ? channels_padded - first : kBlock;
  return first * rows + row * width + (channel - first);
}

/// Rows of codes come in parts: kPartInputs inputs of one tap, or several whole taps where one has few
/// inputs. A row of zeros stands behind each part, so that lists of rows can be filled up.
struct CodePart {
  size_t tap, taps;   // the first tap, and how many
  size_t input_part;  // of a single tap
  size_t rows;        // without the row of zeros
};

/// Rows of several taps: no more than a byte can number and than a first-level cache holds of a block.
inline constexpr size_t kPartRows = 240, kPartBytes = 24 * 1024;

/// How many taps are joined, 1 where `least` do not go together: as many as fit. Rows of a block have so many
/// bytes. Always inlined: an ISA object that kept a copy of its own could be the one that the linker takes
/// for all; so are the members below.
[[gnu::always_inline]] constexpr size_t joined_taps(size_t inputs, size_t row_bytes, size_t least) noexcept {
  const size_t fit = kPartBytes / (row_bytes > 0 ? row_bytes : 1), rows = fit < kPartRows ? fit : kPartRows;
  return inputs == 0 || inputs > rows / least ? 1 : rows / inputs;
}

/// What a layer's weights are made of, as far as their parts depend on it.
struct CodeParts {
  size_t inputs, taps, channels_padded;

  /// Taps that are joined; 1: a part has one tap at most.
  [[nodiscard, gnu::always_inline]] constexpr size_t joined() const noexcept {
    return joined_taps(inputs, channels_padded < kCodeBlock ? channels_padded : kCodeBlock, 2);
  }
  [[nodiscard, gnu::always_inline]] constexpr size_t count() const noexcept {
    return joined() == 1 ? taps * input_parts(inputs) : (taps + joined() - 1) / joined();
  }
  [[nodiscard, gnu::always_inline]] constexpr CodePart at(size_t i) const noexcept {
    if (joined() == 1) {
      const size_t part = i % input_parts(inputs), left = inputs - part * kPartInputs;
      return {i / input_parts(inputs), 1, part, left < kPartInputs ? left : kPartInputs};
    }
    const size_t tap = i * joined(), left = taps - tap, count = left < joined() ? left : joined();
    return {tap, count, 0, count * inputs};
  }
  /// Where the row of an input of a tap is, and how many rows there are, those of zeros counted.
  [[nodiscard, gnu::always_inline]] constexpr size_t row(size_t tap, size_t input) const noexcept {
    const size_t part = joined() == 1 ? tap * input_parts(inputs) + input / kPartInputs : tap / joined();
    return tap * inputs + input + part;
  }
  [[nodiscard, gnu::always_inline]] constexpr size_t rows() const noexcept { return taps * inputs + count(); }
};

/// Weight codes for event gathering, at row_weight<kCodeBlock>(CodeParts::row(...), ...).
struct RowWeights {
  const int8_t* codes;  // kAlign-aligned; padded channels are 0
  /// [block][tap][part of the inputs]: the most that a sum of codes of any of those inputs can be, either
  /// way.
  const uint16_t* bounds;
  size_t inputs;  // rows for each tap; a spike row has ceil(inputs / 64) words, tail bits zero
  size_t taps;
  size_t channels_padded;  // multiple of kChannelPad
  int32_t max_abs;         // the largest |code|, 0..128: bounds how many rows an int8 lane can take
  bool odd;                // true: the weight is 2 * code + 1; false: the code itself

  [[nodiscard, gnu::always_inline]] constexpr CodeParts parts() const noexcept {
    return {inputs, taps, channels_padded};
  }
};

/// Float rows for event gathering and dense products, at row_weight<kFloatBlock>(tap * inputs + input, ...);
/// padded channels are 0.
struct FloatWeights {
  const float* values;  // kAlign-aligned
  size_t inputs;        // for each tap
  size_t taps;
  size_t channels_padded;
  const float* bias;  // [channels_padded] or null; added last
};

/// Rows of codes that a byte can take.
constexpr size_t rows_in_byte(int32_t max_abs) noexcept {
  return 127 / static_cast<size_t>(max_abs > 0 ? max_abs : 1);
}

}  // namespace snncore::kernels
