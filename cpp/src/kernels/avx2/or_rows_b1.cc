#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/or_rows_b1.inc"
}  // namespace

void or_rows_b1(const uint64_t* const* rows, size_t count, uint64_t* out, size_t words) {
  or_rows(rows, count, out, words);
}

}  // namespace snncore::kernels::avx2
