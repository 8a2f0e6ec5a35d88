#include "kernels/fill.h"
#include "kernels/neon/entries.h"

namespace snncore::kernels {

void fill_neon(KernelTable& table) {
  table.isa = "neon";
  table.addrows_b1i8_i32 = neon::addrows_b1i8_i32;
  table.count_b1b1_i32 = neon::count_b1b1_i32;
  // Cortex-A72, from its issue rules; those of sparse sums in the ratio to avx2 that the gather has.
  table.costs = {.tap = 3,
                 .gather_part = 20,
                 .gather_part_block = 4,
                 .gather_spike_block = 1.3F,
                 .gather_wide_block = 2.6F,
                 .count_word_block = 8.7F,
                 .lanes = 16,
                 .spread = 1,
                 .sparse_put = 1.2F,
                 .sparse_code = 1.2F,
                 .sparse_code_far = 1.0F,
                 .lut_put = 3,
                 .lut_look = 0.665F};
  table.sparse_b1i8_i32 = neon::sparse_b1i8_i32;
  table.lut_b1i4_i32 = neon::lut_b1i4_i32;
  table.gemm_u8i8_i32 = neon::gemm_u8i8_i32;
  table.addrows_b1f32_f32 = neon::addrows_b1f32_f32;
  table.gemm_f32f32_f32 = neon::gemm_f32f32_f32;
  table.gemm_f64f64_f64 = neon::gemm_f64f64_f64;
  table.step_lif_coded = neon::step_lif_coded;
  table.step_lif_states = neon::step_lif_states;
  table.step_lif_i8 = neon::step_lif_i8;
  table.step_lif_i16 = neon::step_lif_i16;
  table.step_lif_i32 = neon::step_lif_i32;
  table.step_lifx_i32 = neon::step_lifx_i32;
  table.step_cuba_i32 = neon::step_cuba_i32;
  table.step_lif_f32 = neon::step_lif_f32;
  table.step_psn_f32 = neon::step_psn_f32;
  table.step_neuron_f32 = neon::step_neuron_f32;
  table.run_lif_i16 = neon::run_lif_i16;
  table.run_lif_i32 = neon::run_lif_i32;
  table.interleave3_u8 = neon::interleave3_u8;
  table.or_rows_b1 = neon::or_rows_b1;
  table.add_bits_i32 = neon::add_bits_i32;
  table.count_columns_b1_i32 = neon::count_columns_b1_i32;
  table.count_groups_b1_i32 = neon::count_groups_b1_i32;
  table.gate_i32_b1 = neon::gate_i32_b1;
  table.requant_i32_i32 = neon::requant_i32_i32;
  table.requant_i64_i32 = neon::requant_i64_i32;
  table.pack_u8_b1 = neon::pack_u8_b1;
  table.pack_f32_b1 = neon::pack_f32_b1;
  table.popcount_b1 = neon::popcount_b1;
  table.prepare_hamming_b1 = neon::prepare_hamming_b1;
  table.hamming_b1b1_hits = neon::hamming_b1b1_hits;
  table.hamming_b1b1_rows = neon::hamming_b1b1_rows;
  table.dot_f32f32_f32 = neon::dot_f32f32_f32;
  table.squares_f32f32_f32 = neon::squares_f32f32_f32;
  table.dot_i8i8_i32 = neon::dot_i8i8_i32;
  table.squares_i8i8_u32 = neon::squares_i8i8_u32;
  table.planes_of_rows_b1 = neon::planes_of_rows_b1;
  table.planes_of_columns_b1 = neon::planes_of_columns_b1;
  table.transpose_b1 = neon::transpose_b1;
  table.gemm_b1b1_u16 = neon::gemm_b1b1_u16;
  table.gemm_b1b1_b1 = neon::gemm_b1b1_b1;
  table.addrows_b1u16_i32 = neon::addrows_b1u16_i32;
}

}  // namespace snncore::kernels
