#include <utility>

#include "kernels/neon/planes.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/addrows_b1u16.inc"
}  // namespace

void addrows_b1u16_i32(const uint64_t* rows, size_t count, const CountRows& w, int32_t* out, size_t stride) {
  add_count_rows(rows, count, w, out, stride);
}

}  // namespace snncore::kernels::neon
