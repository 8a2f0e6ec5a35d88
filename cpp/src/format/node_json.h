// The nodes of a document. From format 2 on what follows from the rest is left out (docs/format.md, "Nodes").
#pragma once

#include "format/json.h"
#include "graph/graph.h"

namespace snncore::format {

/// Reads a list of nodes into `graph`, whose tensors of the file are there already; tensors that are numbers
/// are added as [1].
void read_nodes(const JsonView& list, int64_t format, graph::Graph& graph);

nlohmann::json write_nodes(const graph::Graph& graph, int64_t format);

}  // namespace snncore::format
