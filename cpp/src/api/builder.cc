#include <cmath>

#include "api/builder_impl.h"
#include "format/model_impl.h"
#include "format/snn.h"

namespace snncore {

GraphBuilder::GraphBuilder() : impl_(std::make_unique<Impl>()) {}
GraphBuilder::~GraphBuilder() = default;
GraphBuilder::GraphBuilder(GraphBuilder&&) noexcept = default;
GraphBuilder& GraphBuilder::operator=(GraphBuilder&&) noexcept = default;

namespace {
// "count4" is a count of 0..15; 0 for any other dtype. ("u8" is taken: it means pixels.)
int64_t greatest_count(const std::string& dtype) {
  for (int bits = 2; bits <= 16; ++bits) {
    if (dtype == "count" + std::to_string(bits)) return (int64_t{1} << bits) - 1;
  }
  return 0;
}
}  // namespace

std::string GraphBuilder::input(const std::string& name, const std::string& dtype, const Shape& shape,
                                std::span<const int64_t> zero_point, double scale,
                                const std::string& layout) {
  const std::string label = "input '" + name + "'";
  need(!name.empty() && !impl_->values.contains(name), label + ": the name is empty or taken");
  need(shape.size() == 3 || shape.size() == 1,
       label + ": expected shape [C, H, W] or [F], received " + shape_string(shape), ErrorCode::kShape);
  const int64_t most = greatest_count(dtype);
  need(dtype == "u8" || dtype == "b1" || dtype == "f32" || most > 0,
       label + ": dtype must be u8, b1, f32 or count2 to count16, received '" + dtype + "'");
  Edge e;
  e.type = dtype == "u8"   ? EdgeType::kPixel
           : dtype == "b1" ? EdgeType::kSpike
           : most > 0      ? EdgeType::kCount
                           : EdgeType::kReal;
  e.shape = shape.size() == 3 ? Shape{shape[1], shape[2], shape[0]} : shape;
  for (const int64_t axis : e.shape)
    need(axis >= 1, label + ": empty axis in " + shape_string(shape), ErrorCode::kShape);
  e.hi = e.type == EdgeType::kPixel ? 255 : e.type == EdgeType::kSpike ? 1 : most;
  e.zero_point = list(zero_point);
  e.scale = scale;
  const bool pixels = e.type == EdgeType::kPixel || !e.zero_point.empty();
  need(!pixels ||
           (e.type != EdgeType::kSpike && e.type != EdgeType::kCount &&
            static_cast<int64_t>(e.zero_point.size()) == e.channels() && scale > 0 && std::isfinite(scale)),
       label + ": pixels need one zero point for each of " + std::to_string(e.channels()) +
           " channels and a positive scale");
  for (const int64_t z : e.zero_point)
    need(z >= 0 && z <= 255, label + ": zero points are 0..255, received " + std::to_string(z));
  impl_->graph.edges[name] = e;
  impl_->graph.inputs.push_back({name, name, layout.empty() ? (e.is_image() ? "NCHW" : "NC") : layout});
  BuiltValue v;
  v.edge = name;
  impl_->values[name] = std::move(v);
  return name;
}

void GraphBuilder::output(const std::string& name, const std::string& edge) {
  const std::string in = impl_->edge("output '" + name + "'", edge);
  impl_->graph.outputs.push_back({name, in, ""});
}

Shape GraphBuilder::shape(const std::string& edge) const {
  const BuiltValue& v = impl_->any_value("shape", edge);
  if (v.pooled != nullptr) return v.pooled->shape;
  const Shape& s = impl_->graph.edges.at(v.terms.empty() ? v.edge : v.terms[0].edge).shape;
  return s.size() == 3 ? Shape{s[2], s[0], s[1]} : s;
}

Model GraphBuilder::build(int64_t timesteps, const std::vector<std::string>& labels,
                          const std::optional<PreprocessInfo>& preprocess,
                          const std::map<std::string, std::string>& provenance) {
  auto model = std::make_shared<Model::Impl>();
  graph::Graph& g = model->graph;
  g = impl_->graph;
  g.timesteps = timesteps;
  g.labels = labels;
  if (preprocess) {
    g.has_preprocess = true;
    g.preprocess = {preprocess->height, preprocess->width, preprocess->crop, preprocess->color};
  }
  g.provenance = provenance;
  g.provenance.try_emplace("producer", std::string("snncore ") + version());
  need(!g.outputs.empty(), "a model needs an output: call output(name, edge)");
  for (const Node& node : g.nodes) impl_->check_read_back(node);
  try {
    for (const PendingResidual& p : impl_->residuals) complete(g, p, impl_->units);
    for (const PendingNeuron& p : impl_->neurons) complete(g, p, timesteps, impl_->units);
    for (PendingReadout p : impl_->readouts) {
      for (double& s : p.scale) s *= impl_->units.of(*p.stream);
      complete(g, p);
    }
    graph::infer_edges(g);
    model->file_bytes = format::write_bytes(g).size();  // which checks all of it
  } catch (const Error& e) {                            // what would be a bad file is a bad argument here
    throw Error(e.code() == ErrorCode::kFormat ? ErrorCode::kInvalidArgument : e.code(), e.what());
  }
  return Model(std::move(model));
}

}  // namespace snncore
