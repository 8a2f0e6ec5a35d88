// The planned form of a model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <snncore/session.h>

#include "graph/graph.h"
#include "runtime/frame.h"
#include "runtime/saved_state.h"

namespace snncore {

struct Program::Impl {
  struct Input {
    std::string name;  // as messages call it
    std::string layout;
    bool repeat = false;  // no T in the layout: one frame for all steps
    ops::Edge edge;
    runtime::Slot slot;
  };
  /// A value that is read after a run, in user order.
  struct Value {
    std::string name;
    runtime::Slot slot;
    bool per_step = true;
    int64_t divisor = 1;  // counts
    Shape step_shape;     // user order: [C, H, W] or [F]
    DType dtype = DType::kF32;
  };

  std::shared_ptr<const Model::Impl> model;
  Options options;
  size_t steps = 1;        // of one run
  bool recurrent = false;  // the graph has a cycle
  size_t batch = 1;
  int64_t max_steps = INT64_MAX;  // steps before a reset is needed
  std::string limited_by;         // what needs it, as the start of a sentence
  std::vector<Input> inputs;
  std::vector<Value> outputs, records;
  /// A node that steps belong to: what is computed on the way into a neuron is the neuron's.
  struct Layer {
    std::string name;
    std::vector<std::string> sums;
    double operations = 0;  // synaptic ones of one run
  };
  struct Planned {
    std::unique_ptr<runtime::Step> step;
    size_t layer;
  };
  std::vector<Layer> layers;
  std::vector<Planned> plan;
  size_t scratch_bytes = 0, state_bytes = 0, lane_bytes = 0;
  runtime::KeptState kept;
  std::vector<Memory::Node> nodes;  // with weights or state

  [[nodiscard]] bool stream() const noexcept { return options.mode == Mode::kStream; }
  /// A sequence through a cycle goes step by step: the plan is made for one step and executed for each.
  [[nodiscard]] bool stepwise() const noexcept { return !stream() && recurrent; }
  [[nodiscard]] bool keeps_state() const noexcept { return stream() || recurrent; }
  [[nodiscard]] size_t rounds() const noexcept { return stepwise() ? steps : 1; }
  [[nodiscard]] size_t plan_steps() const noexcept { return steps / rounds(); }
  [[nodiscard]] size_t threads() const noexcept { return static_cast<size_t>(options.threads); }
};

namespace runtime {

/// Chooses kernels, lays out weights, settles memory.
std::shared_ptr<const Program::Impl> plan_program(std::shared_ptr<const Model::Impl> model,
                                                  const Options& options);

}  // namespace runtime
}  // namespace snncore
