#pragma once

#include "kernels/table.h"

namespace snncore::kernels::avx512 {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::avx512
