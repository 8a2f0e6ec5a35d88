#include "kernels/fill.h"
#include "kernels/neon_dotprod/entries.h"

namespace snncore::kernels {

void fill_neon_dotprod(KernelTable& table) {
  table.isa = "neon_dotprod";
  table.gemm_b1i8_i32 = neon_dotprod::gemm_b1i8_i32;
  // Cortex-A76 at 2.4 GHz, from its issue rules: two dot products and two loads a cycle.
  table.costs.dense_spread = 8;
  table.costs.dense_tile = 220;
  table.costs.dense_far = 60;
  table.gemm_u8i8_i32 = neon_dotprod::gemm_u8i8_i32;
}

}  // namespace snncore::kernels
