// What the ways to sum spikes cost on a level.
#pragma once

namespace snncore::kernels {

/// What the ways to sum spikes cost, in ns, measured by `bench_kernels --costs`; runtime/sum_methods.cc adds
/// them up for a tile. A block is 32 channels.
struct SumCosts {
  // Kernels whose lanes are channels: for a tap of a pixel that finds its row.
  float tap;
  // addrows_b1i8_i32: for a pixel and part of rows (CodeParts), the same for each block, and for each spike
  // and block; the last again where codes are too large to meet in bytes.
  float gather_part, gather_part_block, gather_spike_block, gather_wide_block;
  // count_b1b1_i32: for a pixel, 32 bits of its patch and a block.
  float count_word_block;
  // Kernels whose lanes are pixels: the lanes of a vector, and for a byte of a row that goes to its lane.
  float lanes, spread;
  // sparse_b1i8_i32: for a sum that goes from its lane to its row, for a code and vector, and what this is
  // more where the spikes come from the second-level cache. A chunk takes kChunkCodes codes more.
  float sparse_put, sparse_code, sparse_code_far;
  // lut_b1i4_i32: for a sum, and for a table and vector. A run takes kRunLooks tables more.
  float lut_put, lut_look;
  // gemm_b1i8_i32: for 64 inputs of a row that become bytes, for a product of a tile of pixels and one of
  // weights, and for a tile of weights that comes from beyond the second-level cache. A level that has no
  // such products has zeros here.
  float dense_spread, dense_tile, dense_far;
};
inline constexpr double kChunkCodes = 1, kRunLooks = 3;

}  // namespace snncore::kernels
