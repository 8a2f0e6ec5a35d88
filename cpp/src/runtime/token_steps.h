// Operations on tokens: attention without soft-max, counts and masks of spikes.
#pragma once

#include <memory>
#include <vector>

#include "ops/op.h"
#include "runtime/frame.h"

namespace snncore::runtime {

/// Is this a `count` of the spikes of each head and token?
bool is_head_count(const ops::Node& node);

/// The step of an `attention`, `count` or `mask` node, or null for any other; `inputs` are the slots of its
/// inputs.
std::unique_ptr<Step> token_step(const ops::NodeView& node, std::vector<Slot> inputs, const Slot& out);

}  // namespace snncore::runtime
