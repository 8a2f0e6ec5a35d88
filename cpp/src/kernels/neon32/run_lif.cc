#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
inline constexpr size_t kRunBlocks = 1;  // half the registers of neon
#include "kernels/body/spikes.inc"
#include "kernels/body/step_16.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_in_order.inc"
#include "kernels/body/step_rows.inc"
}  // namespace

void run_lif_i16(const LifRows& rows, const LifNeuron& neuron) { run_narrow(rows, neuron); }
void run_lif_i32(const LifRows& rows, const LifNeuron& neuron) { run_wide(rows, neuron); }

}  // namespace snncore::kernels::neon32
