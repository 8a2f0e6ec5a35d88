#include "kernels/fill.h"
#include "kernels/avx2/entries.h"

namespace snncore::kernels {

void fill_avx2(KernelTable& table) {
  table.isa = "avx2";
  table.addrows_b1i8_i32 = avx2::addrows_b1i8_i32;
  table.count_b1b1_i32 = avx2::count_b1b1_i32;
  // Zen 3, `bench_kernels --costs`: the medians of three runs. But dense_tile is by whole layers on Emerald
  // Rapids, in their ratio to gathering (decision 0003), the two beside it are estimated, and
  // gather_part, 21.7 before lists were asked for one pixel ahead, is by whole layers there, too.
  table.costs = {.tap = 0.873F,
                 .gather_part = 18,
                 .gather_part_block = 0,
                 .gather_spike_block = 0.201F,
                 .gather_wide_block = 0.357F,
                 .count_word_block = 2.98F,
                 .lanes = 32,
                 .spread = 0.159F,
                 .sparse_put = 0.178F,
                 .sparse_code = 0.37F,
                 .sparse_code_far = 0.301F,
                 .lut_put = 0.561F,
                 .lut_look = 0.22F,
                 .dense_spread = 6,
                 .dense_tile = 71,
                 .dense_far = 40};
  table.sparse_b1i8_i32 = avx2::sparse_b1i8_i32;
  table.lut_b1i4_i32 = avx2::lut_b1i4_i32;
  table.lanes = true;
  table.sparse_b1i8_lanes = avx2::sparse_b1i8_lanes;
  table.lut_b1i4_lanes = avx2::lut_b1i4_lanes;
  table.lines_u8i8_lanes = avx2::lines_u8i8_lanes;
  table.gemm_b1i8_i32 = avx2::gemm_b1i8_i32;
  table.gemm_u8i8_i32 = avx2::gemm_u8i8_i32;
  table.addrows_b1f32_f32 = avx2::addrows_b1f32_f32;
  table.gemm_f32f32_f32 = avx2::gemm_f32f32_f32;
  table.gemm_f64f64_f64 = avx2::gemm_f64f64_f64;
  table.step_lif_coded = avx2::step_lif_coded;
  table.step_lif_states = avx2::step_lif_states;
  table.step_lif_i8 = avx2::step_lif_i8;
  table.step_lif_i16 = avx2::step_lif_i16;
  table.step_lif_i8_lanes = avx2::step_lif_i8_lanes;
  table.step_lif_i16_lanes = avx2::step_lif_i16_lanes;
  table.step_lif_i32 = avx2::step_lif_i32;
  table.step_lifx_i32 = avx2::step_lifx_i32;
  table.step_cuba_i32 = avx2::step_cuba_i32;
  table.step_lif_f32 = avx2::step_lif_f32;
  table.step_psn_f32 = avx2::step_psn_f32;
  table.step_neuron_f32 = avx2::step_neuron_f32;
  table.run_lif_i16 = avx2::run_lif_i16;
  table.run_lif_i32 = avx2::run_lif_i32;
  table.interleave3_u8 = avx2::interleave3_u8;
  table.or_rows_b1 = avx2::or_rows_b1;
  table.add_bits_i32 = avx2::add_bits_i32;
  table.count_columns_b1_i32 = avx2::count_columns_b1_i32;
  table.count_groups_b1_i32 = avx2::count_groups_b1_i32;
  table.gate_i32_b1 = avx2::gate_i32_b1;
  table.requant_i32_i32 = avx2::requant_i32_i32;
  table.requant_i64_i32 = avx2::requant_i64_i32;
  table.pack_u8_b1 = avx2::pack_u8_b1;
  table.pack_f32_b1 = avx2::pack_f32_b1;
  table.popcount_b1 = avx2::popcount_b1;
  table.prepare_hamming_b1 = avx2::prepare_hamming_b1;
  table.hamming_b1b1_hits = avx2::hamming_b1b1_hits;
  table.hamming_b1b1_rows = avx2::hamming_b1b1_rows;
  table.dot_f32f32_f32 = avx2::dot_f32f32_f32;
  table.squares_f32f32_f32 = avx2::squares_f32f32_f32;
  table.dot_i8i8_i32 = avx2::dot_i8i8_i32;
  table.squares_i8i8_u32 = avx2::squares_i8i8_u32;
  table.planes_of_rows_b1 = avx2::planes_of_rows_b1;
  table.planes_of_columns_b1 = avx2::planes_of_columns_b1;
  table.transpose_b1 = avx2::transpose_b1;
  table.gemm_b1b1_u16 = avx2::gemm_b1b1_u16;
  table.gemm_b1b1_b1 = avx2::gemm_b1b1_b1;
  table.addrows_b1u16_i32 = avx2::addrows_b1u16_i32;
}

}  // namespace snncore::kernels
