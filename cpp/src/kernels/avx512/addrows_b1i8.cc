#include "kernels/avx512/list_bytes.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {
#include "kernels/body/events.inc"

#include "kernels/body/addrows_b1i8.inc"
}  // namespace

void addrows_b1i8_i32(const uint64_t* const* rows, size_t pixels, const RowWeights& w, int32_t* sums) {
  gather_rows(rows, pixels, w, sums);
}

}  // namespace snncore::kernels::avx512
