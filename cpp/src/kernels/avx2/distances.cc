#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
#include "kernels/body/distances.inc"
}  // namespace snncore::kernels::avx2
