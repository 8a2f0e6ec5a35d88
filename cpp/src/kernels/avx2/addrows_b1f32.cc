#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/list_word.inc"
#include "kernels/body/spike_lists.inc"

#include "kernels/body/addrows_b1f32.inc"
}  // namespace

void addrows_b1f32_f32(const SpikeTile& spikes, const FloatWeights& w, float* out, std::byte* scratch) {
  gather_float_rows(spikes, w, out, scratch);
}

}  // namespace snncore::kernels::avx2
