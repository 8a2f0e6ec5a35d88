#include "kernels/fill.h"
#include "kernels/avx512_amx/entries.h"

namespace snncore::kernels {

void fill_avx512_amx(KernelTable& table) {
  table.isa = "avx512_amx";
  // Emerald Rapids, `bench_kernels --costs`: medians of the five least disturbed runs of seven.
  table.costs = {.tap = 0.435F,
                 .gather_part = 7.3F,
                 .gather_part_block = 0,
                 .gather_spike_block = 0.137F,
                 .gather_wide_block = 0.354F,
                 .count_word_block = 0.966F,
                 .lanes = 64,
                 .spread = 0.0453F,
                 .sparse_put = 0.247F,
                 .sparse_code = 0.425F,
                 .sparse_code_far = 0,
                 .lut_put = 0.468F,
                 .lut_look = 0.411F,
                 .dense_spread = 2.5F,
                 .dense_tile = 7.85F,
                 .dense_far = 21.5F};
  table.gemm_b1i8_i32 = avx512_amx::gemm_b1i8_i32;
  table.gemm_u8i8_i32 = avx512_amx::gemm_u8i8_i32;
}

}  // namespace snncore::kernels
