#pragma once

#include "kernels/table.h"

namespace snncore::kernels::avx512_amx {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::avx512_amx
