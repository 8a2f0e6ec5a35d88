#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
#include "kernels/body/distances.inc"
}  // namespace snncore::kernels::avx512
