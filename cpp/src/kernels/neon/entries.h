#pragma once

#include "kernels/table.h"

namespace snncore::kernels::neon {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::neon
