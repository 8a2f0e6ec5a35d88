#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// Set bits of each byte.
uint64_t byte_counts(uint64_t x) {
  x -= x >> 1 & 0x5555555555555555;
  x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
  return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
}

void add_distances(const uint8_t* codes, uint32_t query, uint32_t* distances) {
  const uint64_t repeated = static_cast<uint64_t>(query) << 32 | query;
  for (size_t lane = 0; lane < kCodeBlock; lane += sizeof(uint64_t)) {
    uint64_t bytes;
    __builtin_memcpy(&bytes, codes + lane, sizeof(bytes));
    const uint64_t counts = byte_counts(bytes ^ repeated);
    uint8_t each[sizeof(counts)];
    __builtin_memcpy(each, &counts, sizeof(counts));
    for (size_t i = 0; i < sizeof(each); ++i) distances[lane + i] += each[i];
  }
}

size_t scan_query(const HammingScan& scan, const uint32_t* query, uint32_t limit, HammingHit* hits) {
  size_t count = 0;
  for (size_t block = 0; block < scan.block_count; ++block) {
    uint32_t distances[kCodeBlock] = {};
    for (size_t byte = 0; byte < scan.bytes; ++byte) {
      add_distances(scan.blocks + (block * scan.bytes + byte) * kCodeBlock, query[byte], distances);
    }
    for (size_t lane = 0; lane < kCodeBlock; ++lane) {
      if (distances[lane] >= limit) continue;
      hits[count++] = {static_cast<uint32_t>(block * kCodeBlock + lane), distances[lane]};
    }
  }
  return count;
}

}  // namespace

void hamming_b1b1_hits(const HammingScan& scan, HammingHit* hits, size_t* counts) {
  for (size_t q = 0; q < scan.query_count; ++q) {
    counts[q] = scan_query(scan, scan.queries + q * scan.bytes, scan.limits[q], hits + q * scan.hit_stride);
  }
}

}  // namespace snncore::kernels::scalar
