#pragma once

#include "kernels/table.h"

namespace snncore::kernels::scalar {
#include "kernels/body/entries.inc"
}  // namespace snncore::kernels::scalar
