#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
inline constexpr size_t kChains = 1;
#include "kernels/body/spikes.inc"
#include "kernels/body/step_16.inc"
#include "kernels/body/step_currents.inc"
#include "kernels/body/step_lif.inc"
}  // namespace

void step_lif_i8(const LifTile& tile) { step_lif_narrow<int8_t>(tile); }
void step_lif_i16(const LifTile& tile) { step_lif_narrow<int16_t>(tile); }

}  // namespace snncore::kernels::neon32
