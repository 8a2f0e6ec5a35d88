#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_lif_i32.inc"
}  // namespace

void step_lif_i32(const LifTile& tile) { step_lif_by_leak(tile); }

}  // namespace snncore::kernels::avx2
