// The second of a plan's two walks through the graph: with every offset known (placing.h), nodes become
// steps. Each family has a file of its own: sums and currents, neurons, layers of neither, tokens, results.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format/model_impl.h"
#include "ops/op.h"
#include "runtime/move_in_time.h"
#include "runtime/neuron_step.h"
#include "runtime/placing.h"
#include "runtime/program.h"
#include "runtime/synapse.h"

namespace snncore::runtime {

/// Rows of so many int32 constants, each filled up to the kernels' rows.
std::vector<int32_t> padded(const tensor::Tensor& t, size_t channels, int32_t filler);

/// What a node's tensor holds; nothing where it has none of this role.
template <class T>
std::vector<T> tensor_values(const ops::NodeView& node, const char* role) {
  const tensor::Tensor* t = node.find(role);
  if (t == nullptr) return {};
  return {t->as<T>(), t->as<T>() + t->bytes / sizeof(T)};
}

class Planner {
 public:
  /// `program`: its options checked, and what follows from them.
  explicit Planner(std::shared_ptr<Program::Impl> program)
      : program_(std::move(program)),
        graph_(program_->model->graph),
        demand_(graph_, program_->options, program_->keeps_state()),
        placing_(graph_, demand_, *program_) {}

  /// Throws Error(kState) where more steps are asked for than some node is exact for, Error(kUnsupported).
  std::shared_ptr<const Program::Impl> plan();

 private:
  // The walk (planner.cc).
  void make_step(const ops::Node& node);
  void begin_layer(const std::string& name);
  void end_layer();
  void push(std::unique_ptr<Step> step);
  void count_work(const ops::Node& node);
  Memory::Node& held(const ops::Node& node);
  size_t take_state(const ops::Node& node, size_t bytes);
  void expect_steps(const ops::NodeView& v, const std::string& does, size_t most);
  void limit_steps(size_t most, const std::string& because);

  [[nodiscard]] ops::NodeView view(const ops::Node& node) const { return graph::view(graph_, node); }
  [[nodiscard]] std::vector<Slot> slots(const ops::Node& node) const;  // of its inputs
  [[nodiscard]] const Slot& out(const ops::Node& node) const { return placing_.slot(node.outputs[0]); }
  // `joined`: the samples of a batch are the pixels of one.
  [[nodiscard]] Slot slot(const std::string& edge, bool joined) const {
    return joined ? placing_.slot(edge).column() : placing_.slot(edge);
  }

  // planner_sums.cc
  std::unique_ptr<Synapse> synapse(const std::string& edge, bool joined = false);
  std::unique_ptr<Synapse> node_synapse(const ops::Node& node, bool joined = false);
  IntCurrents before(const ops::NodeView& neuron, size_t channels, bool joined);
  IntCurrents currents(const ops::NodeView& q, size_t channels, bool joined = false);
  void make_sums(const ops::Node& node);
  void make_residual(const ops::Node& node);

  // planner_neurons.cc
  [[nodiscard]] bool joins_samples(const ops::Node& neuron) const;
  [[nodiscard]] NeuronPlace neuron_place(const ops::Node& node, bool joined = false) const;
  void make_lif(const ops::Node& node);
  void make_float_lif(const ops::NodeView& v, NeuronPlace place, bool joined);
  void limit_profile_x(const ops::NodeView& v);
  void make_cuba_lif(const ops::Node& node);
  void make_rule_neuron(const ops::Node& node);
  void make_psn(const ops::Node& node);

  // planner_layers.cc
  void make_maxpool(const ops::Node& node);
  void make_avgpool(const ops::Node& node);
  void make_add(const ops::Node& node);
  void make_couple(const ops::Node& node);
  void make_delay(const ops::Node& node);
  void remember(const ops::Node& node);
  void make_readout(const ops::Node& node);

  // planner_tokens.cc
  void make_product(const ops::Node& node);
  std::unique_ptr<Synapse> token_counts(const ops::Node& node);
  std::unique_ptr<Synapse> map_counts(const ops::Node& node);
  void make_map(const ops::Node& node);
  void make_tokens(const ops::Node& node);
  void make_saccade(const ops::Node& node);

  // planner_results.cc
  void name_values();
  [[nodiscard]] Program::Impl::Value value(const std::string& name, const std::string& edge,
                                           DType dtype) const;
  [[nodiscard]] Program::Impl::Value record(const std::string& name) const;

  std::shared_ptr<Program::Impl> program_;
  const graph::Graph& graph_;
  const Demand demand_;
  const Placing placing_;
  std::map<std::string, Ring> rings_;  // by delay
};

}  // namespace snncore::runtime
