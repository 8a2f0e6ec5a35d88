#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_cuba.inc"
}  // namespace

void step_cuba_i32(const CubaTile& tile) { step_cuba_tile(tile); }

}  // namespace snncore::kernels::avx2
