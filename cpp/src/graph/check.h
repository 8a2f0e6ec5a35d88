// What must hold for the parts of a graph before any node is looked at. Everything throws Error(kFormat).
#pragma once

#include <string>

#include "graph/graph.h"

namespace snncore::graph {

[[noreturn]] void refuse(const std::string& message);

bool has_control(const std::string& text) noexcept;

/// 1 to 256 bytes without control characters.
void check_name(const std::string& kind, const std::string& name);

/// Names, operations, order: every node reads inputs or what an earlier node writes, and writes one new edge.
void check_structure(const Graph& graph);

/// Inputs, outputs, timesteps, labels and preprocessing, against edges that are complete.
void check_interface(const Graph& graph);

}  // namespace snncore::graph
