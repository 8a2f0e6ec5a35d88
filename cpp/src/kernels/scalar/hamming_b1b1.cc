#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

constexpr size_t kWords = kHammingBlock / sizeof(uint64_t);
constexpr size_t kExactBytes = 255 / 8;  // bytes of a code whose distance fits a byte

// Set bits of each byte.
inline uint64_t byte_counts(uint64_t x) {
  x -= x >> 1 & 0x5555555555555555;
  x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
  return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
}

// Adds what differs in up to kExactBytes bytes of the codes.
void add_distances(const uint8_t* codes, const uint8_t* query, size_t bytes, uint32_t* distances) {
  uint64_t sums[kWords] = {};
  for (size_t byte = 0; byte < bytes; ++byte) {
    const uint64_t repeated = query[byte] * uint64_t{0x0101010101010101};
    uint64_t lanes[kWords];
    __builtin_memcpy(lanes, codes + byte * kHammingBlock, sizeof(lanes));
    for (size_t w = 0; w < kWords; ++w) sums[w] += byte_counts(lanes[w] ^ repeated);
  }
  uint8_t each[kHammingBlock];
  __builtin_memcpy(each, sums, sizeof(sums));
  for (size_t lane = 0; lane < kHammingBlock; ++lane) distances[lane] += each[lane];
}

size_t scan_query(const HammingScan& scan, const uint8_t* query, uint32_t limit, HammingHit* hits) {
  size_t count = 0;
  for (size_t block = 0; block < scan.block_count; ++block) {
    const uint8_t* codes = scan.blocks + block * scan.bytes * kHammingBlock;
    uint32_t distances[kHammingBlock] = {};
    for (size_t byte = 0; byte < scan.bytes; byte += kExactBytes) {
      const size_t rest = scan.bytes - byte;
      add_distances(codes + byte * kHammingBlock, query + byte, rest < kExactBytes ? rest : kExactBytes,
                    distances);
    }
    for (size_t lane = 0; lane < kHammingBlock; ++lane) {
      if (distances[lane] >= limit) continue;
      hits[count++] = {static_cast<uint32_t>(block * kHammingBlock + lane), distances[lane]};
    }
  }
  return count;
}

}  // namespace

void prepare_hamming_b1(const uint8_t* queries, size_t stride, size_t count, size_t bytes, void* prepared) {
  auto* out = static_cast<uint8_t*>(prepared);
  for (size_t q = 0; q < count; ++q, out += bytes) __builtin_memcpy(out, queries + q * stride, bytes);
}

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  for (size_t q = 0; q < scan.query_count; ++q) {
    const auto* query = static_cast<const uint8_t*>(scan.prepared) + q * scan.bytes;
    counts[q] = scan_query(scan, query, scan.limits[q], hits + q * scan.hit_stride);
  }
}

}  // namespace snncore::kernels::scalar
