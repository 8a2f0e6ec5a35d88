#pragma once

#include "kernels/table.h"

namespace snncore::kernels::neon32 {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::neon32
