#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lifx.inc"
}  // namespace

void step_lifx_i32(const LifXTile& tile) { step_lif_exact(tile); }

}  // namespace snncore::kernels::neon32
