#include "kernels/fill.h"
#include "kernels/scalar/entries.h"

namespace snncore::kernels {

void fill_scalar(KernelTable& table) {
  table.isa = "scalar";
  table.addrows_b1i8_i32 = scalar::addrows_b1i8_i32;
  table.prepare_count_b1 = scalar::prepare_count_b1;
  table.count_b1b1_i32 = scalar::count_b1b1_i32;
  // Zen 3.
  table.costs = {.tap = 1,
                 .gather_part = 180,
                 .gather_part_block = 0,
                 .gather_spike_block = 5.1F,
                 .gather_wide_block = 4.9F,
                 .count_word_block = 125,
                 .lanes = 32,
                 .spread = 0.1F,
                 .sparse_put = 2.9F,
                 .sparse_code = 196,
                 .sparse_code_far = 25,
                 .lut_put = 56,
                 .lut_look = 20};
  table.sparse_b1i8_i32 = scalar::sparse_b1i8_i32;
  table.lut_width = 4;
  table.columns = false;
  table.lut_b1i4_i32 = scalar::lut_b1i4_i32;
  table.lanes = false;
  table.sparse_b1i8_lanes = scalar::sparse_b1i8_lanes;
  table.lut_b1i4_lanes = scalar::lut_b1i4_lanes;
  table.lines_u8i8_lanes = scalar::lines_u8i8_lanes;
  table.gemm_b1i8_i32 = scalar::gemm_b1i8_i32;
  table.gemm_u8i8_i32 = scalar::gemm_u8i8_i32;
  table.addrows_b1f32_f32 = scalar::addrows_b1f32_f32;
  table.gemm_f32f32_f32 = scalar::gemm_f32f32_f32;
  table.gemm_f64f64_f64 = scalar::gemm_f64f64_f64;
  table.step_lif_coded = scalar::step_lif_coded;
  table.step_lif_coded8 = scalar::step_lif_coded8;
  table.step_lif_states = scalar::step_lif_states;
  table.step_lif_i8 = scalar::step_lif_i8;
  table.step_lif_i16 = scalar::step_lif_i16;
  table.step_lif_i8_lanes = scalar::step_lif_i8_lanes;
  table.step_lif_i16_lanes = scalar::step_lif_i16_lanes;
  table.step_lif_i32 = scalar::step_lif_i32;
  table.step_lifx_i32 = scalar::step_lifx_i32;
  table.step_cuba_i32 = scalar::step_cuba_i32;
  table.step_lif_f32 = scalar::step_lif_f32;
  table.step_psn_f32 = scalar::step_psn_f32;
  table.step_neuron_f32 = scalar::step_neuron_f32;
  table.run_lif_i16 = scalar::run_lif_i16;
  table.run_lif_i32 = scalar::run_lif_i32;
  table.interleave3_u8 = scalar::interleave3_u8;
  table.or_rows_b1 = scalar::or_rows_b1;
  table.add_bits_i32 = scalar::add_bits_i32;
  table.count_columns_b1_i32 = scalar::count_columns_b1_i32;
  table.count_groups_b1_i32 = scalar::count_groups_b1_i32;
  table.gate_i32_b1 = scalar::gate_i32_b1;
  table.requant_i32_i32 = scalar::requant_i32_i32;
  table.requant_i64_i32 = scalar::requant_i64_i32;
  table.pack_u8_b1 = scalar::pack_u8_b1;
  table.pack_f32_b1 = scalar::pack_f32_b1;
  table.popcount_b1 = scalar::popcount_b1;
  table.prepare_hamming_b1 = scalar::prepare_hamming_b1;
  table.hamming_b1b1_hits = scalar::hamming_b1b1_hits;
  table.hamming_b1b1_rows = scalar::hamming_b1b1_rows;
  table.dot_f32f32_f32 = scalar::dot_f32f32_f32;
  table.squares_f32f32_f32 = scalar::squares_f32f32_f32;
  table.dot_i8i8_i32 = scalar::dot_i8i8_i32;
  table.squares_i8i8_u32 = scalar::squares_i8i8_u32;
  table.planes_of_rows_b1 = scalar::planes_of_rows_b1;
  table.planes_of_columns_b1 = scalar::planes_of_columns_b1;
  table.transpose_b1 = scalar::transpose_b1;
  table.gemm_b1b1_u16 = scalar::gemm_b1b1_u16;
  table.gemm_b1b1_b1 = scalar::gemm_b1b1_b1;
  table.addrows_b1u16_i32 = scalar::addrows_b1u16_i32;
}

}  // namespace snncore::kernels
