// (Q K^T) V where tokens are many: K^T V of each step and head first, then the queries tile by tile, straight
// into the neuron that reads them. Nothing of tokens times channels reaches memory as integers.
#pragma once

#include <memory>

#include "ops/op.h"
#include "runtime/frame.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

/// Is this the cheaper order for an `attention` node?
bool takes_keys_first(const ops::NodeView& node);

/// Where K^T V lies: a pixel for each head.
Slot keys_values_slot(const ops::NodeView& node, const Slot& k, const Slot& v);

std::unique_ptr<Step> keys_values_step(const Slot& k, const Slot& v, const Slot& products, size_t threads);
std::unique_ptr<Synapse> attention_synapse(const Slot& q, const Slot& products);

}  // namespace snncore::runtime
