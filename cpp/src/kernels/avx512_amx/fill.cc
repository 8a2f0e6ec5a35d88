#include "kernels/fill.h"
#include "kernels/avx512_amx/entries.h"

namespace snncore::kernels {

void fill_avx512_amx(KernelTable& table) {
  table.isa = "avx512_amx";
  // Sapphire Rapids.
  table.costs.dense_spread = 1.5F;
  table.costs.dense_tile = 6;
  table.costs.dense_far = 50;
  table.gemm_b1i8_i32 = avx512_amx::gemm_b1i8_i32;
  table.gemm_u8i8_i32 = avx512_amx::gemm_u8i8_i32;
}

}  // namespace snncore::kernels
