#include <arm_neon.h>

#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
constexpr size_t kTile = 2;
#include "kernels/body/hamming_neon.inc"
}  // namespace

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  scan_all(scan, hits, counts);
}

}  // namespace snncore::kernels::neon32
