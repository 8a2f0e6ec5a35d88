// Sums of layers as synapses of the neurons that read them, and the currents that requantisations make of
// them.
#include <algorithm>
#include <cstdint>

#include "kernels/padding.h"
#include "ops/infer.h"
#include "runtime/planner.h"
#include "runtime/residual_step.h"

namespace snncore::runtime {

using ops::EdgeType;
using ops::Node;
using ops::NodeView;

std::vector<int32_t> padded(const tensor::Tensor& t, size_t channels, int32_t filler) {
  const size_t rows = t.bytes / sizeof(int32_t) / channels, cp = kernels::pad_channels(channels);
  std::vector<int32_t> out(rows * cp, filler);
  for (size_t r = 0; r < rows; ++r)
    std::copy_n(t.as<int32_t>() + r * channels, channels, out.data() + r * cp);
  return out;
}

std::unique_ptr<Synapse> Planner::synapse(const std::string& edge, bool joined) {
  if (!demand_.fused(edge)) return stored_sums(slot(edge, joined));
  const Node& node = *graph::producer(graph_, edge);
  const bool weighted = node.op == "conv2d" || node.op == "linear";
  return weighted ? node_synapse(node, joined) : token_counts(node);
}

std::unique_ptr<Synapse> Planner::node_synapse(const Node& node, bool joined) {
  count_work(node);
  const NodeView v = view(node);
  const Slot in = slot(node.inputs[0], joined);
  SynapseShape shape = synapse_shape(v, placing_.slot(node.inputs[0]));
  auto weights = program_->model->packed<PackedWeights>(node.name, [&] { return pack_weights(v, shape); });
  held(node).weights += weights->bytes();
  if (joined) shape.window = Window::same(in.pixels);
  const std::string* gate = demand_.gate(node.outputs[0]);
  return make_synapse(v, shape, in, std::move(weights), gate == nullptr ? nullptr : &placing_.slot(*gate));
}

void Planner::make_sums(const Node& node) {
  push(sums_step(node_synapse(node), out(node), program_->threads()));
}

IntCurrents Planner::before(const NodeView& neuron, size_t channels, bool joined) {
  return currents(view(*graph::producer(graph_, neuron.node.inputs[0])), channels, joined);
}

// What a requantisation reads, and its constants; not what is added to it as it is.
IntCurrents Planner::currents(const NodeView& q, size_t channels, bool joined) {
  IntCurrents n;
  const bool residual = q.node.op == "residual";
  for (size_t j = 0; j < q.inputs.size(); ++j) {
    const std::string index = std::to_string(j), &edge = q.node.inputs[j];
    const bool stream = q.inputs[j]->type == EdgeType::kStream;
    if (residual && stream) continue;
    if (q.inputs[j]->type == EdgeType::kSum || stream) {
      const bool is_short = q.inputs[j]->lo >= INT16_MIN && q.inputs[j]->hi <= INT16_MAX;
      n.sums.push_back({synapse(edge, joined), padded(*q.find("M." + index), channels, 0), is_short});
    } else {
      n.spikes.push_back({slot(edge, joined), padded(*q.find("K." + index), channels, 0)});
    }
  }
  n.c = padded(*q.find("C"), channels, 0);
  n.n = padded(*q.find("n"), channels, 0);
  n.wide = residual || q.flag("wide");
  if (const int64_t steps = ops::factor_steps(q); steps != 0) {
    n.each_step = true;
    expect_steps(q, "has factors for", static_cast<size_t>(steps));
  }
  return n;
}

void Planner::make_residual(const Node& node) {
  std::vector<Slot> streams;
  for (const std::string& in : node.inputs) {
    if (graph_.edges.at(in).type == EdgeType::kStream) streams.push_back(placing_.slot(in));
  }
  const Slot& stream = out(node);
  const NeuronPlace place{.out = stream, .steps = stream.steps, .threads = program_->threads()};
  push(residual_step(currents(view(node), stream.channels), std::move(streams), place));
}

}  // namespace snncore::runtime
