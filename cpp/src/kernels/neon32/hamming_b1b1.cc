#include <arm_neon.h>

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
constexpr size_t kTogether = 2;
#include "kernels/body/hamming_neon.inc"
}  // namespace

void prepare_hamming_b1(const uint8_t* queries, size_t stride, size_t count, size_t bytes, void* prepared) {
  auto* out = static_cast<uint8_t*>(prepared);
  for (size_t byte = 0; byte < bytes; ++byte) {
    for (size_t q = 0; q < count; ++q) *out++ = queries[q * stride + byte];
  }
}

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  scan_any(scan, hits, counts);
}

}  // namespace snncore::kernels::neon32
