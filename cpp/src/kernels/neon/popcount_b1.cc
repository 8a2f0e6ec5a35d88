#include "kernels/neon/entries.h"
#include "kernels/neon/simd.h"

namespace snncore::kernels::neon {
namespace {
#include "kernels/body/popcount_b1_neon.inc"
}  // namespace

uint64_t popcount_b1(const uint64_t* words, size_t count) { return count_bits(words, count); }

}  // namespace snncore::kernels::neon
