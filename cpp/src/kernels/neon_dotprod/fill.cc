#include "kernels/fill.h"
#include "kernels/neon_dotprod/entries.h"

namespace snncore::kernels {

void fill_neon_dotprod(KernelTable& table) {
  table.isa = "neon_dotprod";
  table.gemm_u8i8_i32 = neon_dotprod::gemm_u8i8_i32;
}

}  // namespace snncore::kernels
