#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// Bit arithmetic: on the baseline the builtin is a call into the compiler's library.
uint64_t popcount(uint64_t x) {
  x -= x >> 1 & 0x5555555555555555;
  x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return (x * 0x0101010101010101) >> 56;
}

}  // namespace

uint64_t popcount_b1(const uint64_t* words, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += popcount(words[i]);
  return sum;
}

}  // namespace snncore::kernels::scalar
