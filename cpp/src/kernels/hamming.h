// Codes and queries of a Hamming scan.
#pragma once

#include <cstddef>
#include <cstdint>

namespace snncore::kernels {

/// Codes in a block of a Hamming scan.
inline constexpr size_t kHammingBlock = 64;
/// Queries that are scanned together, and the bytes that `prepare_hamming_b1` writes for each byte of theirs.
inline constexpr size_t kHammingTile = 8;
inline constexpr size_t kHammingPrepared = 128;

/// A range of blocks against a tile of queries. A code is `bytes` bytes, and byte j of a block's codes lie
/// beside each other: a vector holds the same byte of many codes, distances stay in lanes and are never
/// summed across.
struct HammingScan {
  const uint8_t* blocks;  // [block_count][bytes][kHammingBlock], kAlign-aligned
  size_t block_count;
  size_t bytes;            // 1..8192
  const void* prepared;    // the queries, by prepare_hamming_b1 of the same table
  size_t query_count;      // 1..kHammingTile
  const uint32_t* limits;  // [query_count]
  size_t hit_stride;       // hits from one query's to the next: at least block_count * kHammingBlock + 1
  size_t probe;            // a hint: after so many bytes, see whether the block can be left; 0: never
};

struct HammingHit {
  uint32_t code;  // counted from the first block
  uint32_t distance;
};

}  // namespace snncore::kernels
