#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
#include "kernels/body/distances.inc"
}  // namespace snncore::kernels::neon
