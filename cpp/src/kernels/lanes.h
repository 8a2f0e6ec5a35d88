// Sums that stay in lanes, and lines of bytes that become such sums: kernels whose lanes are pixels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/spikes.h"

namespace snncore::kernels {

/// Sums that stay in the lanes of kernels whose lanes are pixels: that of channel c and pixel p at step t is
/// at [c * pitch + t * t_stride + places[p]]. Lanes of no pixel hold anything; kLaneTail lanes behind the
/// last are readable.
struct LaneSums {
  const int32_t* wide;      // null: they are narrow
  const int16_t* narrow;    // factors of the neuron are then at most INT16_MAX
  size_t pitch, t_stride;   // t_stride 0: the sums do not change with t
  const uint32_t* places;   // [pixels], ascending
  WeightedSpikes spikes{};  // of the tile, added to its currents as LifTile::extra is
};
inline constexpr size_t kLaneTail = 64, kLaneSteps = 32;
/// Lanes of a channel that kernels want for so many places.
constexpr size_t lane_pitch(size_t places) noexcept {
  return (places + kLaneTail - 1) / kLaneTail * kLaneTail + kLaneTail;
}

/// Lines of bytes that a window slides along: place x of line l reads, for each row r of the window, the
/// groups of four bytes from bytes[l * line_stride + r * row_stride + x * place_bytes] on.
struct ByteLines {
  const uint8_t* bytes;  // kLineTail bytes behind the last line are readable
  size_t lines, width;   // of places
  size_t line_stride, row_stride;
  size_t place_bytes;  // 1..kLineBytes
};
inline constexpr size_t kLineBytes = 4, kLineTail = 256;
/// Lanes of a line of places: those of the next start behind them.
constexpr size_t line_lanes(size_t width) noexcept { return (width + 15) / 16 * 16; }

/// Weights for them: [channel][row of the window][group][4], rows filled up with zeros.
struct LineWeights {
  const int8_t* codes;
  const int32_t* init;  // [channels], added to every sum
  size_t rows, groups;  // rows * groups is at most kLineGroups
  size_t channels;
};
inline constexpr size_t kLineGroups = 32;

}  // namespace snncore::kernels
