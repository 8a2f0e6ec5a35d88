// The JSON document inside a file: a Graph without the bytes of its tensors (docs/format.md, "The `snncore`
// document").
#pragma once

#include <string>

#include "graph/graph.h"

namespace snncore::format {

/// Reads a document into `graph`, whose tensors are there already and get their encodings here. Checks the
/// form of everything; what it means is checked by graph::complete. Gives the format.
int read_document(const std::string& text, graph::Graph& graph);

/// `graph` is valid; tensors that no node uses are left out. Format 1 spells out what later ones leave out.
std::string write_document(const graph::Graph& graph, int format);

}  // namespace snncore::format
