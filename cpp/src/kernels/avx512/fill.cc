#include "kernels/fill.h"
#include "kernels/avx512/entries.h"

namespace snncore::kernels {

void fill_avx512(KernelTable& table) {
  table.isa = "avx512";
  table.addrows_b1i8_i32 = avx512::addrows_b1i8_i32;
  table.prepare_count_b1 = avx512::prepare_count_b1;
  table.count_b1b1_i32 = avx512::count_b1b1_i32;
  // Measured on an AMD EPYC (Zen 4). But lut_look, 0.43 there, is by whole layers: W1 and W2 with 4 bits take
  // the faster of two methods at 10 to 50 %; gather_part was 7.2 before lists were asked for one pixel ahead,
  // which takes 0.57 of the time on Emerald Rapids. Of dense products only the ratio to gathering is known,
  // of a whole layer in which half of the inputs spike (decision 0003): dense_tile is 37 on Emerald Rapids
  // and 69 by the issue rules of Zen 4, which has half the dot products a cycle; this lies between. The two
  // beside it are those of AMX, not measured here.
  table.costs = {.tap = 0.71F,
                 .gather_part = 4.1F,
                 .gather_part_block = 0.42F,
                 .gather_spike_block = 0.167F,
                 .gather_wide_block = 0.265F,
                 .count_word_block = 0.87F,
                 .lanes = 64,
                 .spread = 0.034F,
                 .sparse_put = 0.136F,
                 .sparse_code = 0.39F,
                 .sparse_code_far = 0.003F,
                 .lut_put = 0.31F,
                 .lut_look = 0.5F,
                 .dense_spread = 1.7F,
                 .dense_tile = 60,
                 .dense_far = 37};
  table.sparse_b1i8_i32 = avx512::sparse_b1i8_i32;
  table.lut_width = 6;
  table.columns = true;
  table.lut_b1i4_i32 = avx512::lut_b1i4_i32;
  table.lanes = true;
  table.sparse_b1i8_lanes = avx512::sparse_b1i8_lanes;
  table.lut_b1i4_lanes = avx512::lut_b1i4_lanes;
  table.lines_u8i8_lanes = avx512::lines_u8i8_lanes;
  table.gemm_b1i8_i32 = avx512::gemm_b1i8_i32;
  table.gemm_u8i8_i32 = avx512::gemm_u8i8_i32;
  table.addrows_b1f32_f32 = avx512::addrows_b1f32_f32;
  table.gemm_f32f32_f32 = avx512::gemm_f32f32_f32;
  table.gemm_f64f64_f64 = avx512::gemm_f64f64_f64;
  table.step_lif_coded = avx512::step_lif_coded;
  table.step_lif_states = avx512::step_lif_states;
  table.step_lif_i8 = avx512::step_lif_i8;
  table.step_lif_i16 = avx512::step_lif_i16;
  table.step_lif_i8_lanes = avx512::step_lif_i8_lanes;
  table.step_lif_i16_lanes = avx512::step_lif_i16_lanes;
  table.step_lif_i32 = avx512::step_lif_i32;
  table.step_lifx_i32 = avx512::step_lifx_i32;
  table.step_cuba_i32 = avx512::step_cuba_i32;
  table.step_lif_f32 = avx512::step_lif_f32;
  table.step_psn_f32 = avx512::step_psn_f32;
  table.step_neuron_f32 = avx512::step_neuron_f32;
  table.run_lif_i16 = avx512::run_lif_i16;
  table.run_lif_i32 = avx512::run_lif_i32;
  table.or_rows_b1 = avx512::or_rows_b1;
  table.add_bits_i32 = avx512::add_bits_i32;
  table.count_columns_b1_i32 = avx512::count_columns_b1_i32;
  table.count_groups_b1_i32 = avx512::count_groups_b1_i32;
  table.gate_i32_b1 = avx512::gate_i32_b1;
  table.requant_i32_i32 = avx512::requant_i32_i32;
  table.requant_i64_i32 = avx512::requant_i64_i32;
  table.pack_u8_b1 = avx512::pack_u8_b1;
  table.pack_f32_b1 = avx512::pack_f32_b1;
  table.popcount_b1 = avx512::popcount_b1;
  table.prepare_hamming_b1 = avx512::prepare_hamming_b1;
  table.hamming_b1b1_hits = avx512::hamming_b1b1_hits;
  table.hamming_b1b1_rows = avx512::hamming_b1b1_rows;
  table.dot_f32f32_f32 = avx512::dot_f32f32_f32;
  table.squares_f32f32_f32 = avx512::squares_f32f32_f32;
  table.dot_i8i8_i32 = avx512::dot_i8i8_i32;
  table.squares_i8i8_u32 = avx512::squares_i8i8_u32;
  table.planes_of_rows_b1 = avx512::planes_of_rows_b1;
  table.planes_of_columns_b1 = avx512::planes_of_columns_b1;
  table.transpose_b1 = avx512::transpose_b1;
  table.gemm_b1b1_u16 = avx512::gemm_b1b1_u16;
  table.gemm_b1b1_b1 = avx512::gemm_b1b1_b1;
  table.addrows_b1u16_i32 = avx512::addrows_b1u16_i32;
}

}  // namespace snncore::kernels
