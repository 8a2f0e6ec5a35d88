#pragma once

#include "kernels/table.h"

namespace snncore::kernels::avx2 {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::avx2
