#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lif_f32.inc"
}  // namespace

void step_lif_f32(const LifFloatTile& tile) { step_lif_float(tile); }

}  // namespace snncore::kernels::avx2
