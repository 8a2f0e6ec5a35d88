// Reading memory from each cache and from DRAM, and as much as a search of W6 reads, with the widest loads
// this CPU has. One round reads all.
#include <algorithm>

#include "../machine.h"
#include "limit.h"

namespace snncore::bench {
namespace {

void read_scalar(Lane& lane, size_t rounds) {
  const auto* words = as<uint64_t>(lane);
  uint64_t sums[8] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < lane.bytes / 8; i += 8) {
      for (size_t j = 0; j < 8; ++j) sums[j] ^= words[i + j];
    }
    end_round();
  }
  keep(lane, sums);
}

#if defined(__x86_64__)

SNNCORE_LEVEL("avx2") void read_avx2(Lane& lane, size_t rounds) {
  const auto* vectors = as<__m256i>(lane);
  __m256i sums[8] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < lane.bytes / 32; i += 8) {
#pragma GCC unroll 8
      for (size_t j = 0; j < 8; ++j) sums[j] = _mm256_xor_si256(sums[j], vectors[i + j]);
    }
    end_round();
  }
  for (const __m256i& s : sums) keep(lane, s);
}

SNNCORE_LEVEL("avx512f") void read_avx512(Lane& lane, size_t rounds) {
  const auto* vectors = as<__m512i>(lane);
  __m512i sums[8] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t i = 0; i < lane.bytes / 64; i += 8) {
#pragma GCC unroll 8
      for (size_t j = 0; j < 8; ++j) sums[j] = _mm512_xor_si512(sums[j], vectors[i + j]);
    }
    end_round();
  }
  for (const __m512i& s : sums) keep(lane, s);
}

#endif

size_t whole_rounds(size_t bytes) { return std::max(size_t{4} << 10, bytes / 512 * 512); }

}  // namespace

void add_read(std::vector<Limit>& limits, size_t threads) {
  auto* run = read_scalar;
  const char* level = "scalar";
#if defined(__x86_64__)
  if (has_avx2()) run = read_avx2, level = "avx2";
  if (has_avx512()) run = read_avx512, level = "avx512";
#endif
  const size_t last = cache_bytes(3);
  const auto add = [&](const char* name, size_t bytes) {
    limits.push_back(
        {name, level, "byte/s", whole_rounds(bytes), static_cast<double>(whole_rounds(bytes)), run});
  };
  add("read_l1", cache_bytes(1) / 2);
  add("read_l2", cache_bytes(2) / 2);
  add("read_32mb", size_t{32} << 20);  // a million codes of 256 bits, wherever they lie
  add("read_l3", std::max(last / 4 / threads, 2 * cache_bytes(2)));
  add("read_dram", std::max(4 * last, size_t{128} << 20) / threads);
}

}  // namespace snncore::bench
