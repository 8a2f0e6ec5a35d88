// Private memory that the ways to sum spikes take, in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/padding.h"
#include "kernels/row_weights.h"
#include "kernels/weights.h"

namespace snncore::kernels {

/// Scratch that the sparse kernel takes: a byte for every input of every row, sums of a few channels.
constexpr size_t kSparseChannels = 16, kSparseLanes = 256;  // 4 KB to 16 KB are used, by width of vectors
constexpr size_t sparse_pitch(size_t row_count) noexcept {  // an odd number of cache lines
  return ((row_count + kAlign - 1) / kAlign | 1) * kAlign;
}
constexpr size_t sparse_scratch(size_t row_count, size_t inputs, size_t taps) noexcept {
  return kSparseChannels * kSparseLanes * sizeof(int32_t) + inputs * sparse_pitch(row_count) + kAlign +
         taps * inputs * sizeof(uint32_t);
}

/// Scratch that the look-up kernel takes: a byte for every table's inputs of every row, sums of a few
/// channels. Enough for tables of four inputs and more.
constexpr size_t lut_scratch(size_t row_count, size_t inputs, size_t taps) noexcept {
  const size_t tables = lut_tables(inputs, 4);
  return kSparseChannels * kSparseLanes * sizeof(int32_t) + tables * sparse_pitch(row_count) + kAlign +
         taps * tables * sizeof(uint32_t);
}

/// Scratch that the dense kernel takes: a byte for every input of every row, with what a tile reads behind
/// the last, where the tiles of pixels start, and sums of one tile.
constexpr size_t dense_image(size_t row_count, size_t inputs) noexcept {
  return ((row_count + kDensePixels) * inputs + 2 * kDenseInputs + kAlign - 1) / kAlign * kAlign;
}
constexpr size_t dense_scratch(size_t row_count, size_t inputs, size_t pixels) noexcept {
  return dense_image(row_count, inputs) + kDensePixels * kChannelPad * sizeof(int32_t) +
         (pixels + 1) * sizeof(uint32_t);
}

/// Scratch that the addrows kernels take: a list of spikes for every row and part, with its length, what
/// fills it up and where it is, and up to a vector behind the last; sums of a block.
inline constexpr size_t kListBytes = 1 + kPartInputs + 4;
constexpr size_t addrows_scratch(size_t row_count, size_t inputs, size_t pixels) noexcept {
  const size_t lists = row_count * (input_parts(inputs) * (kListBytes + sizeof(uint8_t*)) + sizeof(uint32_t));
  return (lists + kAlign - 1) / kAlign * kAlign + pixels * kCodeBlock * sizeof(int16_t) + 2 * kAlign;
}

}  // namespace snncore::kernels
