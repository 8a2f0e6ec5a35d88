#include "kernels/fill.h"
#include "kernels/neon32/entries.h"

namespace snncore::kernels {

// Float kernels stay scalar: Armv7 NEON flushes denormals to zero, VFP does not.
void fill_neon32(KernelTable& table) {
  table.isa = "neon32";
  table.addrows_b1i8_i32 = neon32::addrows_b1i8_i32;
  table.count_b1b1_i32 = neon32::count_b1b1_i32;
  // not measured: half the rate of neon, which has twice the registers.
  table.costs = {.tap = 4,
                 .gather_part = 30,
                 .gather_part_block = 6,
                 .gather_spike_block = 2.6F,
                 .gather_wide_block = 5.2F,
                 .count_word_block = 17.4F,
                 .lanes = 16,
                 .spread = 2,
                 .sparse_put = 2.4F,
                 .sparse_code = 2.5F,
                 .sparse_code_far = 1.9F,
                 .lut_put = 6,
                 .lut_look = 1.35F};
  table.sparse_b1i8_i32 = neon32::sparse_b1i8_i32;
  table.lut_b1i4_i32 = neon32::lut_b1i4_i32;
  table.gemm_u8i8_i32 = neon32::gemm_u8i8_i32;
  table.step_lif_coded = neon32::step_lif_coded;
  table.step_lif_states = neon32::step_lif_states;
  table.step_lif_i8 = neon32::step_lif_i8;
  table.step_lif_i16 = neon32::step_lif_i16;
  table.step_lif_i32 = neon32::step_lif_i32;
  table.step_lifx_i32 = neon32::step_lifx_i32;
  table.step_cuba_i32 = neon32::step_cuba_i32;
  table.run_lif_i16 = neon32::run_lif_i16;
  table.run_lif_i32 = neon32::run_lif_i32;
  table.interleave3_u8 = neon32::interleave3_u8;
  table.or_rows_b1 = neon32::or_rows_b1;
  table.add_bits_i32 = neon32::add_bits_i32;
  table.count_columns_b1_i32 = neon32::count_columns_b1_i32;
  table.count_groups_b1_i32 = neon32::count_groups_b1_i32;
  table.requant_i32_i32 = neon32::requant_i32_i32;
  table.requant_i64_i32 = neon32::requant_i64_i32;
  table.popcount_b1 = neon32::popcount_b1;
  table.prepare_hamming_b1 = neon32::prepare_hamming_b1;
  table.hamming_b1b1_hits = neon32::hamming_b1b1_hits;
  table.planes_of_rows_b1 = neon32::planes_of_rows_b1;
  table.planes_of_columns_b1 = neon32::planes_of_columns_b1;
  table.transpose_b1 = neon32::transpose_b1;
  table.gemm_b1b1_u16 = neon32::gemm_b1b1_u16;
  table.gemm_b1b1_b1 = neon32::gemm_b1b1_b1;
  table.addrows_b1u16_i32 = neon32::addrows_b1u16_i32;
}

}  // namespace snncore::kernels
