// Where every value of a program lives, and how long: the first of a plan's two walks through the graph.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "format/model_impl.h"
#include "runtime/arena.h"
#include "runtime/program.h"

namespace snncore::runtime {

class Placing {
 public:
  /// Fills in the program's inputs and scratch_bytes; its options, steps, recurrent and batch must be set.
  /// Throws Error(kInvalidArgument), Error(kShape) or Error(kUnsupported).
  Placing(const graph::Graph& graph, Program::Impl& program);

  /// The slot of an edge that has one: neither fused nor unneeded.
  [[nodiscard]] const Slot& slot(const std::string& edge) const { return slots_.at(edge).slot; }
  /// Of "<neuron>.v", "<neuron>.i" or "<readout>.sum" where it is recorded, else null.
  [[nodiscard]] const Slot* extra(const std::string& record) const;
  /// What a run reads or leaves, of an edge or record that has `frame`: the frames of all steps where the
  /// plan is executed for each, else `frame` itself.
  [[nodiscard]] const Slot& whole(const std::string& name, const Slot& frame) const;

  /// The made nodes in the order of the plan: that of the graph, but what a gate hides parts of comes behind
  /// the gate.
  [[nodiscard]] const std::vector<const ops::Node*>& order() const noexcept { return order_; }
  /// Where that lies which is made before the tiles of a sum: K^T V of a fused attention, the lanes of a map.
  [[nodiscard]] const Slot& product(const std::string& sum) const { return *extra(sum + kProduct); }
  /// Of a fused sum: the gate that hides what becomes of it, or null.
  [[nodiscard]] const Slot* gate(const std::string& sum) const;

  /// A step makes this edge: something depends on it and it is not fused, nor arithmetic of a neuron.
  [[nodiscard]] bool is_made(const ops::Node& node) const;
  /// Something read after the run depends on this edge.
  [[nodiscard]] bool is_needed(const std::string& edge) const { return needed_.contains(edge); }
  /// A sum that one neuron or gate alone reads never reaches memory.
  [[nodiscard]] bool fused(const std::string& edge) const;
  /// Every step has a value of its own: all edges but readouts and what is made of them alone.
  [[nodiscard]] bool per_step(const std::string& edge) const;
  /// The node that a record name speaks of: "<node>", "<node>.v", "<node>.i", "<node>.sum"; null when there
  /// is none.
  [[nodiscard]] const ops::Node* recorded_node(const std::string& name) const;
  [[nodiscard]] std::string recorded_edge(const std::string& name) const;

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

  void count_uses();
  void find_needed();
  [[nodiscard]] Slot new_slot(const ops::Edge& edge, ops::EdgeType type, size_t steps) const;
  [[nodiscard]] Slot slot_like(const Slot& in, const ops::Edge& edge, ops::EdgeType type, size_t steps) const;
  Placed& place(std::map<std::string, Placed>& where, const std::string& name, const Slot& slot);
  void find_gates();
  [[nodiscard]] const ops::Node* hidden(const ops::Node& mask) const;
  void put_in_order();
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
  [[nodiscard]] bool recorded(const std::string& name) const;
  void place_results();

  const graph::Graph& graph_;
  Program::Impl& program_;
  std::map<std::string, Placed> slots_;       // by edge
  std::map<std::string, Placed> extra_;       // by record name: "<neuron>.v", "<neuron>.i", "<readout>.sum"
  std::map<std::string, Placed> whole_;       // all steps of a value of one of the two above
  std::map<std::string, std::string> gates_;  // by fused sum: the edge of a gate
  std::vector<const ops::Node*> order_;
  std::map<std::string, int> uses_;
  std::set<std::string> ends_;    // edges that are read after the run
  std::set<std::string> needed_;  // those, and all that they depend on
  ArenaPlan arena_;
  size_t now_ = 0;
  size_t steps_;  // of one execution of the plan
  bool stepwise_, keeps_state_;
};

}  // namespace snncore::runtime
