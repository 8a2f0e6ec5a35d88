#pragma once

#include "kernels/table.h"

namespace snncore::kernels::neon_dotprod {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::neon_dotprod
