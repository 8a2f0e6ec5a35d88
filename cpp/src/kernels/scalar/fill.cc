#include "kernels/fill.h"
#include "kernels/scalar/entries.h"

namespace snncore::kernels {

void fill_scalar(KernelTable& table) {
  table.isa = "scalar";
  table.addrows_b1i8_i32 = scalar::addrows_b1i8_i32;
  table.count_b1b1_i32 = scalar::count_b1b1_i32;
  table.count_from_density = 0.1F;
  table.sparse_b1i8_i32 = scalar::sparse_b1i8_i32;
  table.sparse_cost = 1.0F;
  table.gemm_u8i8_i32 = scalar::gemm_u8i8_i32;
  table.addrows_b1f32_f32 = scalar::addrows_b1f32_f32;
  table.gemm_f32f32_f32 = scalar::gemm_f32f32_f32;
  table.step_lif_i8 = scalar::step_lif_i8;
  table.step_lif_i16 = scalar::step_lif_i16;
  table.step_lif_i32 = scalar::step_lif_i32;
  table.step_lifx_i32 = scalar::step_lifx_i32;
  table.step_lif_f32 = scalar::step_lif_f32;
  table.or_rows_b1 = scalar::or_rows_b1;
  table.popcount_b1 = scalar::popcount_b1;
}

}  // namespace snncore::kernels
