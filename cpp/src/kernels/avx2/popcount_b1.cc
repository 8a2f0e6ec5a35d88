#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {

uint64_t popcount_b1(const uint64_t* words, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<uint64_t>(__builtin_popcountll(words[i]));
  return sum;
}

}  // namespace snncore::kernels::avx2
