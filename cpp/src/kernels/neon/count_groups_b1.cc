#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/count_groups_b1.inc"
}  // namespace

void count_groups_b1_i32(const GroupRows& rows, int32_t* out, size_t stride) {
  count_groups(rows, out, stride);
}

}  // namespace snncore::kernels::neon
