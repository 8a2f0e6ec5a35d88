// Where every value of a program lives, and how long: the first of a plan's two walks through what is to be
// made of the graph (demand.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "format/model_impl.h"
#include "runtime/arena.h"
#include "runtime/demand.h"
#include "runtime/program.h"

namespace snncore::runtime {

class Placing {
 public:
  /// Fills in the program's inputs and scratch_bytes; its options, steps, recurrent and batch must be set.
  /// Throws Error(kInvalidArgument), Error(kShape) or Error(kUnsupported).
  Placing(const graph::Graph& graph, const Demand& demand, Program::Impl& program);

  /// The slot of an edge that has one: neither fused nor unneeded.
  [[nodiscard]] const Slot& slot(const std::string& edge) const { return slots_.at(edge).slot; }
  /// Of "<neuron>.v", "<neuron>.i" or "<readout>.sum" where it is recorded, else null.
  [[nodiscard]] const Slot* extra(const std::string& record) const;
  /// What a run reads or leaves, of an edge or record that has `frame`: the frames of all steps where the
  /// plan is executed for each, else `frame` itself.
  [[nodiscard]] const Slot& whole(const std::string& name, const Slot& frame) const;

  /// Where that lies which is made before the tiles of a sum: K^T V of a fused attention, the lanes of a map.
  [[nodiscard]] const Slot& product(const std::string& sum) const { return *extra(sum + kProduct); }

  /// Inputs and results whose frames a plan that is executed for each step takes and keeps: by edge or
  /// record.
  struct Frames {
    Slot frame, whole;
  };
  [[nodiscard]] std::vector<Frames> taken() const;
  [[nodiscard]] std::vector<Frames> kept() const;

 private:
  static constexpr const char* kProduct = ".product";

  struct Placed {
    Slot slot;
    size_t id = 0;  // in the arena; a flattened edge shares its input's
  };

  [[nodiscard]] Slot new_slot(const ops::Edge& edge, ops::EdgeType type, size_t steps) const;
  [[nodiscard]] Slot slot_like(const Slot& in, const ops::Edge& edge, ops::EdgeType type, size_t steps) const;
  Placed& place(std::map<std::string, Placed>& where, const std::string& name, const Slot& slot);
  void place_inputs();
  void place_whole(const std::string& name, Slot slot);
  const Slot& read(const std::string& edge);
  const Slot& read_through(const std::string& edge);
  [[nodiscard]] bool all_static(const ops::Node& node) const;
  void place_node(const ops::Node& node);
  void place_neuron(const ops::Node& node, const ops::Edge& edge);
  void place_product(const ops::Node& node);
  void place_residual(const ops::Node& node, const ops::Edge& edge);
  void place_delay(const ops::Node& node, const ops::Edge& edge);
  void place_results();

  const graph::Graph& graph_;
  const Demand& demand_;
  Program::Impl& program_;
  std::map<std::string, Placed> slots_;  // by edge
  std::map<std::string, Placed> extra_;  // by record name: "<neuron>.v", "<neuron>.i", "<readout>.sum"
  std::map<std::string, Placed> whole_;  // all steps of a value of one of the two above
  ArenaPlan arena_;
  size_t now_ = 0;
  size_t steps_;  // of one execution of the plan
  bool stepwise_;
};

}  // namespace snncore::runtime
