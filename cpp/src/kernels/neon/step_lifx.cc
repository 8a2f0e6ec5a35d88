#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lifx.inc"
}  // namespace

void step_lifx_i32(const LifXTile& tile) { step_lif_exact(tile); }

}  // namespace snncore::kernels::neon
