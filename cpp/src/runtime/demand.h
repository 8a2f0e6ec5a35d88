// What a run asks of a graph: which nodes a plan makes steps of, in which order, and which sums never reach
// memory.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "format/model_impl.h"
#include "runtime/program.h"

namespace snncore::runtime {

class Demand {
 public:
  /// Refers to both. `keeps_state`: as the program does.
  Demand(const graph::Graph& graph, const Options& options, bool keeps_state);

  /// The nodes in the order of the plan: that of the graph, but what a gate hides parts of comes behind the
  /// gate.
  [[nodiscard]] const std::vector<const ops::Node*>& order() const noexcept { return order_; }
  /// Something read after the run depends on this edge.
  [[nodiscard]] bool is_needed(const std::string& edge) const { return needed_.contains(edge); }
  /// A step makes what the node gives: something depends on it and it is not fused, nor arithmetic of a
  /// neuron.
  [[nodiscard]] bool is_made(const ops::Node& node) const;
  /// A sum that one neuron or gate alone reads never reaches memory.
  [[nodiscard]] bool fused(const std::string& edge) const;
  /// Of a fused sum: the edge of the gate that hides what becomes of it, or null.
  [[nodiscard]] const std::string* gate(const std::string& sum) const;

  /// Was this record asked for by this name?
  [[nodiscard]] bool recorded(const std::string& name) const;
  /// The node that a record name speaks of: "<node>", "<node>.v", "<node>.i", "<node>.sum"; null when there
  /// is none.
  [[nodiscard]] const ops::Node* recorded_node(const std::string& name) const;
  /// Its edge. Throws Error(kInvalidArgument) where it has nothing of that name to record.
  [[nodiscard]] std::string recorded_edge(const std::string& name) const;

 private:
  void count_uses();
  void find_needed();
  void find_gates();
  void put_in_order();
  [[nodiscard]] const ops::Node* hidden(const ops::Node& mask) const;

  const graph::Graph& graph_;
  const Options& options_;
  bool keeps_state_;
  std::map<std::string, int> uses_;
  std::set<std::string> ends_;                // edges that are read after the run
  std::set<std::string> needed_;              // those, and all that they depend on
  std::map<std::string, std::string> gates_;  // by fused sum: the edge of a gate
  std::vector<const ops::Node*> order_;
};

}  // namespace snncore::runtime
