// The k nearest codes of each query by scanning all codes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lsh/code_blocks.h"

namespace snncore::lsh {

struct Queries {
  const uint64_t* rows;  // [count][ceil(bits / 64)]
  size_t count;
};

/// Writes [count][k] ids and distances, nearest first, ties by id, the places without a code -1 and
/// INT32_MAX. `allowed` has a bit for each code that may be found; null: all.
void search(const CodeBlocks& codes, const uint64_t* allowed, const Queries& queries, size_t k,
            size_t threads, int64_t* ids, int32_t* distances);

}  // namespace snncore::lsh
