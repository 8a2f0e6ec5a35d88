#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_16.inc"
#include "kernels/body/step_currents.inc"
#include "kernels/body/step_lif_coded.inc"
}  // namespace

void step_lif_coded(const LifTile& tile) { step_lif_codes(tile); }

}  // namespace snncore::kernels::neon32
