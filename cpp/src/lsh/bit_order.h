// Which bits of a code become the keys of tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lsh/tables.h"

namespace snncore::lsh {

/// A permutation: the bit of `codes` [count][bits / 64] that comes i-th. Table by table, the next bit of a
/// key is the one, of those not yet taken, that leaves the fewest pairs of codes in a common bucket; then the
/// one that is set most nearly in half of the codes, then the first. Bits that no table takes follow,
/// ascending. Counts are whole numbers: the same everywhere.
std::vector<uint32_t> even_order(const uint64_t* codes, size_t count, size_t bits, const TableShape& tables);

}  // namespace snncore::lsh
