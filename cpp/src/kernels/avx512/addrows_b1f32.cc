#include "kernels/avx512/list_bytes.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {
#include "kernels/body/events.inc"

#include "kernels/body/addrows_b1f32.inc"
}  // namespace

void addrows_b1f32_f32(const uint64_t* const* rows, size_t pixels, const FloatWeights& w, float* out) {
  gather_float_rows(rows, pixels, w, out);
}

}  // namespace snncore::kernels::avx512
