#include "kernels/neon/simd.h"
#include "kernels/neon32/entries.h"

namespace snncore::kernels::neon32 {
namespace {
#include "kernels/body/popcount_b1_neon.inc"
}  // namespace

uint64_t popcount_b1(const uint64_t* words, size_t count) { return count_bits(words, count); }

}  // namespace snncore::kernels::neon32
