#include "kernels/fill.h"
#include "kernels/avx512_amx/entries.h"

namespace snncore::kernels {

void fill_avx512_amx(KernelTable& table) {
  table.isa = "avx512_amx";
  // Sapphire Rapids.
  table.costs = {.tap = 0.58F,
                 .gather_part = 16,
                 .gather_part_block = 0,
                 .gather_spike_block = 0.15F,
                 .gather_wide_block = 0.38F,
                 .count_word_block = 0.9F,
                 .lanes = 64,
                 .spread = 0.064F,
                 .sparse_put = 0.19F,
                 .sparse_code = 0.53F,
                 .sparse_code_far = 0.33F,
                 .lut_put = 0.5F,
                 .lut_look = 0.32F,
                 .dense_spread = 1.7F,
                 .dense_tile = 5.9F,
                 .dense_far = 37};
  table.gemm_b1i8_i32 = avx512_amx::gemm_b1i8_i32;
  table.gemm_u8i8_i32 = avx512_amx::gemm_u8i8_i32;
}

}  // namespace snncore::kernels
