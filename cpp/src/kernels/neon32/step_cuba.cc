#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_cuba.inc"
}  // namespace

void step_cuba_i32(const CubaTile& tile) { step_cuba_tile(tile); }

}  // namespace snncore::kernels::neon32
