#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_neuron.inc"
}  // namespace

void step_neuron_f32(const NeuronTile& tile) { step_neuron_tile(tile); }

}  // namespace snncore::kernels::neon
