// One function an ISA folder: it names the level and overwrites the entries that the folder does better.
#pragma once

#include "kernels/table.h"

namespace snncore::kernels {

void fill_scalar(KernelTable& table);
void fill_avx2(KernelTable& table);
void fill_avx512(KernelTable& table);
void fill_avx512_amx(KernelTable& table);
void fill_neon(KernelTable& table);
void fill_neon_dotprod(KernelTable& table);
void fill_neon32(KernelTable& table);

}  // namespace snncore::kernels
