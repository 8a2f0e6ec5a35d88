#include "kernels/fill.h"
#include "kernels/neon_dotprod/entries.h"

namespace snncore::kernels {

void fill_neon_dotprod(KernelTable& table) {
  table.isa = "neon_dotprod";
  table.gemm_b1i8_i32 = neon_dotprod::gemm_b1i8_i32;
  // Cortex-A76 at 2.4 GHz, from its issue rules: two vector operations and two loads a cycle.
  table.costs = {.tap = 1.9F,
                 .gather_part = 8.3F,
                 .gather_part_block = 1.7F,
                 .gather_spike_block = 0.45F,
                 .gather_wide_block = 0.85F,
                 .count_word_block = 5.4F,
                 .lanes = 16,
                 .spread = 0.6F,
                 .sparse_put = 0.7F,
                 .sparse_code = 0.75F,
                 .sparse_code_far = 0.5F,
                 .lut_put = 1.7F,
                 .lut_look = 0.42F,
                 .dense_spread = 6,
                 .dense_tile = 220,
                 .dense_far = 60};
  table.gemm_u8i8_i32 = neon_dotprod::gemm_u8i8_i32;
}

}  // namespace snncore::kernels
