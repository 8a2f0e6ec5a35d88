#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/codes.inc"
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lif_states.inc"
}  // namespace

void step_lif_states(const LifTile& tile) { step_states(tile); }

}  // namespace snncore::kernels::neon
