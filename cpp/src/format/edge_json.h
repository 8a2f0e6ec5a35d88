// One edge as JSON (docs/format.md, "Edges").
#pragma once

#include "format/json.h"
#include "ops/op.h"

namespace snncore::format {

ops::Edge read_edge(const JsonView& at);
nlohmann::json write_edge(const ops::Edge& edge);

}  // namespace snncore::format
