// Attention maps of one bit: scores of pairs, and what a map selects. Bits that all rows meet are laid out
// once for each step and head; a tile's rows go straight into the neuron that reads the counts.
#pragma once

#include <memory>

#include "ops/op.h"
#include "runtime/frame.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

/// Is this a `map_scores` or a `map_product`?
bool is_map(const ops::Node& node);

/// The counts of one head: rows of `inner` bits, which meet each of `lanes`.
struct MapProduct {
  bool scores = true, pairs_tokens = true;
  size_t heads = 1, tokens = 1, dim = 1;

  [[nodiscard]] size_t inner() const noexcept { return scores == pairs_tokens ? dim : tokens; }
  [[nodiscard]] size_t lanes() const noexcept { return scores && pairs_tokens ? tokens : dim; }
  /// Rows of scores; those of a product are the tokens of a tile.
  [[nodiscard]] size_t rows() const noexcept { return pairs_tokens ? tokens : dim; }
};

MapProduct map_product(const ops::NodeView& node);

/// Where what all rows of a head meet is laid out: a pixel for each head.
Slot map_lanes_slot(const MapProduct& product, const Slot& first, const Slot& second);

/// Lays it out. `first` and `second` are the node's inputs.
std::unique_ptr<Step> map_lanes_step(const MapProduct& product, const Slot& first, const Slot& second,
                                     const Slot& lanes);

std::unique_ptr<Synapse> map_synapse(const MapProduct& product, const Slot& first, const Slot& second,
                                     const Slot& lanes);

}  // namespace snncore::runtime
