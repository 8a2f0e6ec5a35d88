#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_psn.inc"
}  // namespace

void step_psn_f32(const PsnTile& tile) { step_psn(tile); }

}  // namespace snncore::kernels::avx2
