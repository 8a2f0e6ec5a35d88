#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lif_f32.inc"
}  // namespace

void step_lif_f32(const LifFloatTile& tile) { step_lif_float(tile); }

}  // namespace snncore::kernels::neon
