#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_lif_i32.inc"
}  // namespace

void step_lif_i32(const LifTile& tile) { step_lif_by_leak(tile); }

}  // namespace snncore::kernels::neon
