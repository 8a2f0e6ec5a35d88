// Layers without weights or neurons: pools, additions, delays, readouts.
#include <optional>

#include "base/checked.h"
#include "runtime/planner.h"
#include "runtime/simple_steps.h"

namespace snncore::runtime {

using ops::EdgeType;
using ops::Node;
using ops::NodeView;

namespace {

Window pool_window(const NodeView& v, const Slot& in, const Slot& out) {
  const auto& kernel = v.integers("kernel", 2);
  const auto& stride = v.integers("stride", 2);
  const auto& pad = v.integers("padding", 4);
  return {.in_h = static_cast<int64_t>(in.height),
          .in_w = static_cast<int64_t>(in.width),
          .out_h = static_cast<int64_t>(out.height),
          .out_w = static_cast<int64_t>(out.width),
          .kernel_h = kernel[0],
          .kernel_w = kernel[1],
          .stride_h = stride[0],
          .stride_w = stride[1],
          .pad_top = pad[0],
          .pad_left = pad[2]};
}

ReadoutMode readout_mode(const std::string& mode) {
  if (mode == "sum") return ReadoutMode::kSum;
  return mode == "mean" ? ReadoutMode::kMean : ReadoutMode::kLast;
}

// Integers become real: one scale and one bias for every output.
void set_scales(const NodeView& v, size_t outputs, Readout& r) {
  const tensor::Tensor& scale = *v.find("scale");
  r.scale.resize(outputs);
  for (size_t i = 0; i < outputs; ++i) r.scale[i] = scale.as<double>()[scale.shape[0] == 1 ? 0 : i];
  r.bias.assign(v.find("bias")->as<double>(), v.find("bias")->as<double>() + outputs);
}

}  // namespace

void Planner::make_maxpool(const Node& node) {
  const Slot& in = placing_.slot(node.inputs[0]);
  push(maxpool_step(pool_window(view(node), in, out(node)), in, out(node)));
}

void Planner::make_avgpool(const Node& node) {
  const Slot& in = placing_.slot(node.inputs[0]);
  push(avgpool_step(pool_window(view(node), in, out(node)), in, out(node)));
}

void Planner::make_add(const Node& node) {
  std::vector<float> divisors;
  for (const std::string& in : node.inputs)
    divisors.push_back(static_cast<float>(graph_.edges.at(in).divisor));
  push(add_step(slots(node), std::move(divisors), out(node)));
}

void Planner::make_couple(const Node& node) { push(couple_step(slots(node), out(node))); }

void Planner::make_delay(const Node& node) {
  const Slot& in = placing_.slot(node.inputs[0]);
  const auto steps = static_cast<size_t>(view(node).integer("steps"));
  require(in.pixels == out(node).pixels, ErrorCode::kUnsupported,
          "delay '" + node.name + "': a flattened image cannot be read back; delay it before flatten");
  if (!program_->keeps_state()) {
    push(shift_step(in, out(node), steps));
    return;
  }
  rings_[node.name] = {.state_offset = take_state(node, ring_bytes(in, steps)), .steps = steps};
  push(recall_step(rings_.at(node.name), out(node)));
  if (in.type == EdgeType::kReal) return;
  program_->kept.rows.push_back(
      {in.type == EdgeType::kSpike ? StateRows::Kind::kBits : StateRows::Kind::kCounts,
       rings_.at(node.name).state_offset, steps * in.batch * in.pixels, in.row_bytes, in.channels,
       graph_.edges.at(node.inputs[0]).hi});
}

void Planner::remember(const Node& node) {
  if (rings_.contains(node.name)) push(remember_step(placing_.slot(node.inputs[0]), rings_.at(node.name)));
}

void Planner::make_readout(const Node& node) {
  const NodeView v = view(node);
  const Slot& in = placing_.slot(node.inputs[0]);
  Readout r;
  r.mode = readout_mode(v.text("mode"));
  r.steps = program_->plan_steps();
  r.pools = graph_.edges.at(node.inputs[0]).is_image();
  if (in.type != EdgeType::kReal) set_scales(v, out(node).pixels * out(node).channels, r);
  if (program_->keeps_state()) r.state_offset = take_state(node, readout_state_bytes(in));
  std::optional<Slot> sums;
  if (const Slot* slot = placing_.extra(node.name + ".sum")) sums = *slot;
  push(readout_step(std::move(r), in, out(node), sums));
}

}  // namespace snncore::runtime
