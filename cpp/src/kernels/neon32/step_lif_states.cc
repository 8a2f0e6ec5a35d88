#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/codes.inc"
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lif_states.inc"
}  // namespace

void step_lif_states(const LifTile& tile) { step_states(tile); }

}  // namespace snncore::kernels::neon32
