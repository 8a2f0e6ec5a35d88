// From the real scales of what enters a stream to the integers of its residual node.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/neuron_constants.h"

namespace snncore::graph {

struct StreamConstants {
  std::vector<std::vector<int32_t>> factors;  // M.j or K.j for each term
  std::vector<int32_t> c, n;
};

/// In float64, rounding floor(x + 1/2), in 64-bit products. Throws Error(kInvalidArgument) naming `layer`
/// where the values leave 32 bits in this unit.
StreamConstants stream_constants(const std::string& layer, const std::vector<CurrentTerm>& terms,
                                 size_t channels, double unit);

}  // namespace snncore::graph
