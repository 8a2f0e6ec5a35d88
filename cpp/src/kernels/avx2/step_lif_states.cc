#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/codes.inc"
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lif_states.inc"
}  // namespace

void step_lif_states(const LifTile& tile) { step_states(tile); }

}  // namespace snncore::kernels::avx2
