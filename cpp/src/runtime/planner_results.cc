// Where a run puts its inputs and finds its results.
#include "runtime/planner.h"

namespace snncore::runtime {

using ops::Edge;
using ops::EdgeType;

namespace {

Shape user_shape(const Slot& s, const Edge& e) {
  if (!e.is_image()) return e.shape;
  return {static_cast<int64_t>(s.channels), e.shape[0], e.shape[1]};
}

}  // namespace

void Planner::name_values() {
  for (size_t i = 0; i < graph_.inputs.size(); ++i) {
    const std::string& edge = graph_.inputs[i].edge;
    program_->inputs[i].slot = placing_.whole(edge, placing_.slot(edge));
  }
  const std::set<std::string> totals = graph::totals(graph_);
  for (const graph::Port& port : graph_.outputs) {
    if (!program_->options.outputs) break;
    program_->outputs.push_back(value(port.name, port.edge, DType::kF32));
    program_->outputs.back().per_step = !totals.contains(port.edge);
  }
  for (const std::string& name : program_->options.record) program_->records.push_back(record(name));
}

Program::Impl::Value Planner::value(const std::string& name, const std::string& edge, DType dtype) const {
  const Edge& e = graph_.edges.at(edge);
  const Slot& slot = placing_.whole(edge, placing_.slot(edge));
  return {.name = name,
          .slot = slot,
          .per_step = true,
          .divisor = e.divisor,
          .step_shape = user_shape(slot, e),
          .dtype = dtype};
}

Program::Impl::Value Planner::record(const std::string& name) const {
  const Slot* extra = placing_.extra(name);
  if (extra == nullptr) {
    return value(name, demand_.recorded_edge(name), name.ends_with(".sum") ? DType::kI32 : DType::kB1);
  }
  Program::Impl::Value v = value(name, demand_.recorded_node(name)->outputs[0], DType::kI64);
  v.slot = placing_.whole(name, *extra);
  if (!name.ends_with(".sum")) {
    v.dtype = v.slot.type == EdgeType::kReal ? DType::kF32 : DType::kI32;
  } else {
    v.per_step = false;
  }
  return v;
}

}  // namespace snncore::runtime
