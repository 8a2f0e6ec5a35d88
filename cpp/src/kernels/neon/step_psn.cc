#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_psn.inc"
}  // namespace

void step_psn_f32(const PsnTile& tile) { step_psn(tile); }

}  // namespace snncore::kernels::neon
