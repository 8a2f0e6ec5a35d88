#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/spikes.inc"
#include "kernels/body/step_neuron.inc"
}  // namespace

void step_neuron_f32(const NeuronTile& tile) { step_neuron_tile(tile); }

}  // namespace snncore::kernels::avx2
