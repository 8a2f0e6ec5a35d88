// The walk itself: options, the order of steps, and what all families keep account of.
#include "runtime/planner.h"

#include <algorithm>

#include "base/align.h"
#include "base/checked.h"
#include "base/parallel.h"
#include "ops/work.h"

namespace snncore::runtime {

using ops::Node;
using ops::NodeView;

namespace {

constexpr int64_t kMaxSteps = 4096, kMaxBatch = 1 << 16;

// Options checked, and what follows from them alone.
std::shared_ptr<Program::Impl> settle(std::shared_ptr<const Model::Impl> model, const Options& options) {
  auto program = std::make_shared<Program::Impl>();
  program->model = std::move(model);
  program->options = options;
  Options& o = program->options;
  program->recurrent = graph::is_recurrent(program->model->graph);
  if (o.timesteps == 0) o.timesteps = program->model->graph.timesteps;
  if (program->stream()) o.timesteps = 1;
  auto check = [](const char* name, int64_t value, int64_t most) {
    require(
        value >= 1 && value <= most, ErrorCode::kInvalidArgument,
        std::string(name) + " must be 1.." + std::to_string(most) + ", received " + std::to_string(value));
  };
  check("timesteps", o.timesteps, kMaxSteps);
  check("batch", o.batch, kMaxBatch);
  check_threads("Session", o.threads);
  program->steps = static_cast<size_t>(o.timesteps);
  program->batch = static_cast<size_t>(o.batch);
  return program;
}

}  // namespace

std::shared_ptr<const Program::Impl> Planner::plan() {
  for (const Node& node : graph_.nodes) program_->nodes.push_back({.name = node.name});
  begin_layer("");
  for (const Placing::Frames& f : placing_.taken()) push(take_frame_step(f.whole, f.frame));
  for (const Node* node : demand_.order()) {
    begin_layer(node->name);
    make_step(*node);
  }
  begin_layer("");
  for (const Node& node : graph_.nodes) remember(node);
  for (const Placing::Frames& f : placing_.kept()) push(keep_frame_step(f.frame, f.whole));
  end_layer();
  std::erase_if(program_->nodes,
                [](const Memory::Node& n) { return n.weights + n.membranes + n.history == 0; });
  name_values();
  return program_;
}

// What has no maker is never a step: a flattened edge is its input, a requantisation arithmetic of a neuron.
void Planner::make_step(const Node& node) {
  static const std::map<std::string, void (Planner::*)(const Node&)> makers = {
      {"conv2d", &Planner::make_sums},
      {"linear", &Planner::make_sums},
      {"residual", &Planner::make_residual},
      {"lif", &Planner::make_lif},
      {"if", &Planner::make_lif},
      {"cuba_lif", &Planner::make_cuba_lif},
      {"neuron", &Planner::make_rule_neuron},
      {"psn", &Planner::make_psn},
      {"maxpool2d", &Planner::make_maxpool},
      {"avgpool2d", &Planner::make_avgpool},
      {"add", &Planner::make_add},
      {"couple", &Planner::make_couple},
      {"delay", &Planner::make_delay},
      {"readout", &Planner::make_readout},
      {"map_scores", &Planner::make_map},
      {"map_product", &Planner::make_map},
      {"attention", &Planner::make_tokens},
      {"count", &Planner::make_tokens},
      {"mask", &Planner::make_tokens},
      {"saccade", &Planner::make_saccade}};
  if (demand_.is_needed(node.outputs[0])) make_product(node);
  const auto maker = makers.find(node.op);
  if (maker != makers.end() && demand_.is_made(node)) (this->*maker->second)(node);
}

void Planner::begin_layer(const std::string& name) {
  end_layer();
  program_->layers.push_back({.name = name, .sums = {}});
}

// One without steps is none.
void Planner::end_layer() {
  const auto& plan = program_->plan;
  const size_t used = plan.empty() ? 0 : plan.back().layer + 1;
  program_->layers.resize(std::min(used, program_->layers.size()));
}

void Planner::push(std::unique_ptr<Step> step) {
  program_->lane_bytes = std::max(program_->lane_bytes, align_up(step->lane_bytes()) + kTailPad);
  program_->plan.push_back({std::move(step), program_->layers.size() - 1});
}

// Sums of a node become part of the layer that is made; what does not change with time is computed once.
void Planner::count_work(const Node& node) {
  const double each = ops::synaptic_operations(view(node), graph_.edges.at(node.outputs[0]));
  if (each == 0) return;
  const bool once = std::ranges::all_of(slots(node), &Slot::is_static);
  const size_t runs = program_->batch * (once ? program_->rounds() : program_->steps);
  Program::Impl::Layer& layer = program_->layers.back();
  layer.sums.push_back(node.name);
  layer.operations += each * static_cast<double>(runs);
}

Memory::Node& Planner::held(const Node& node) {
  return *std::ranges::find(program_->nodes, node.name, &Memory::Node::name);
}

size_t Planner::take_state(const Node& node, size_t bytes) {
  const size_t offset = program_->state_bytes, taken = align_up(bytes) + kTailPad;
  (ops::is_neuron(node.op) ? held(node).membranes : held(node).history) += taken;
  program_->state_bytes += taken;
  program_->kept.add(node.op, node.name, taken);
  return offset;
}

void Planner::expect_steps(const NodeView& v, const std::string& does, size_t most) {
  require(program_->steps <= most, ErrorCode::kState,
          v.label() + ": " + does + " " + std::to_string(most) + " steps, asked for " +
              std::to_string(program_->steps));
  limit_steps(most, v.label() + " " + does);
}

void Planner::limit_steps(size_t most, const std::string& because) {
  if (static_cast<int64_t>(most) >= program_->max_steps) return;
  program_->max_steps = static_cast<int64_t>(most);
  program_->limited_by = because;
}

std::vector<Slot> Planner::slots(const Node& node) const {
  std::vector<Slot> inputs;
  for (const std::string& in : node.inputs) inputs.push_back(placing_.slot(in));
  return inputs;
}

std::shared_ptr<const Program::Impl> plan_program(std::shared_ptr<const Model::Impl> model,
                                                  const Options& options) {
  return Planner(settle(std::move(model), options)).plan();
}

}  // namespace snncore::runtime
