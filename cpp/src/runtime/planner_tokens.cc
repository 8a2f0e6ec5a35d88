// Operations on tokens: attention, maps, counts and masks, and the saccades that they steer.
#include "runtime/attention_synapse.h"
#include "runtime/map_synapse.h"
#include "runtime/planner.h"
#include "runtime/saccade_step.h"
#include "runtime/token_steps.h"

namespace snncore::runtime {

using ops::Node;
using ops::NodeView;

// What all tiles of a sum meet, laid out before them.
void Planner::make_product(const Node& node) {
  const std::string& sum = node.outputs[0];
  if (node.op == "attention" && demand_.fused(sum)) {
    push(keys_values_step(placing_.slot(node.inputs[1]), placing_.slot(node.inputs[2]), placing_.product(sum),
                          program_->threads()));
  } else if (is_map(node)) {
    const std::vector<Slot> in = slots(node);
    push(map_lanes_step(map_product(view(node)), in[0], in[1], placing_.product(sum)));
  }
}

std::unique_ptr<Synapse> Planner::token_counts(const Node& node) {
  if (is_map(node)) return map_counts(node);
  count_work(node);
  return attention_synapse(placing_.slot(node.inputs[0]), placing_.product(node.outputs[0]));
}

std::unique_ptr<Synapse> Planner::map_counts(const Node& node) {
  count_work(node);
  const std::vector<Slot> in = slots(node);
  return map_synapse(map_product(view(node)), in[0], in[1], placing_.product(node.outputs[0]));
}

void Planner::make_map(const Node& node) {
  push(sums_step(map_counts(node), out(node), program_->threads()));
}

void Planner::make_tokens(const Node& node) {
  count_work(node);
  push(token_step(view(node), slots(node), out(node)));
}

void Planner::make_saccade(const Node& node) {
  const NodeView v = view(node);
  Saccade s{.mix = tensor_values<double>(v, "mix"), .threshold = tensor_values<double>(v, "threshold")};
  const size_t most = s.threshold.size();
  expect_steps(v, "weighs", most);
  if (v.inputs.size() > 1) s.kappa = placing_.slot(node.inputs[1]);
  if (program_->keeps_state()) {
    s.q_state = take_state(node, saccade_state_bytes(out(node), most));
    if (s.kappa) s.kappa_state = take_state(node, saccade_state_bytes(*s.kappa, most));
  }
  const std::string& q = node.inputs[0];
  if (demand_.fused(q)) {
    HeadCounts counts(slots(*graph::producer(graph_, q)), out(node).channels);
    push(saccade_step(std::move(s), std::move(counts), out(node)));
  } else {
    push(saccade_step(std::move(s), placing_.slot(q), out(node)));
  }
}

}  // namespace snncore::runtime
