#include "kernels/neon/simd.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/list_word.inc"
#include "kernels/body/spike_lists.inc"

#include "kernels/body/addrows_b1i8.inc"
}  // namespace

void addrows_b1i8_i32(const SpikeTile& spikes, const RowWeights& w, int32_t* sums, std::byte* scratch) {
  gather_rows(spikes, w, sums, scratch);
}

}  // namespace snncore::kernels::neon32
