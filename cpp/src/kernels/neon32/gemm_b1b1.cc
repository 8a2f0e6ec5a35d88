#include "kernels/neon/planes.h"

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/gemm_b1b1.inc"
#include "kernels/body/gemm_b1b1_u16.inc"
}  // namespace

void gemm_b1b1_u16(const ByteRows& rows, const BytePlanes& planes, uint16_t* counts, size_t pitch, bool add) {
  count_all(rows, planes, counts, pitch, add);
}

void gemm_b1b1_b1(const ByteRows& rows, const BytePlanes& planes, uint32_t threshold, uint64_t* out) {
  map_shared(rows, planes, threshold, out);
}

}  // namespace snncore::kernels::neon32
