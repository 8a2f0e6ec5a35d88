// How large sums of weight rows can become: RowWeights::bounds, made once when weights are laid out.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/row_weights.h"

namespace snncore::kernels {

/// Elements of RowWeights::bounds.
constexpr size_t row_bounds(size_t inputs, size_t taps, size_t channels_padded) noexcept {
  return (channels_padded + kCodeBlock - 1) / kCodeBlock * CodeParts{inputs, taps, channels_padded}.count();
}

/// `codes` as RowWeights holds them.
void fill_row_bounds(const int8_t* codes, size_t inputs, size_t taps, size_t channels_padded,
                     uint16_t* bounds) noexcept;

}  // namespace snncore::kernels
