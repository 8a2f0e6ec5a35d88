#include "kernels/neon/simd.h"

#include "kernels/neon/entries.h"

namespace snncore::kernels::neon {
namespace {

inline uint64_t at_least(F64 a, F64 b) { return (a[0] >= b[0] ? 1U : 0U) | (a[1] >= b[1] ? 2U : 0U); }

#include "kernels/body/gate_i32_b1.inc"

}  // namespace

void gate_i32_b1(const GateTile& tile) { gate_rows(tile); }

}  // namespace snncore::kernels::neon
