#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_lifx.inc"
}  // namespace

void step_lifx_i32(const LifXTile& tile) { step_lif_exact(tile); }

}  // namespace snncore::kernels::avx2
