// Small valid networks that between them use every operation; tests take them apart.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "ops/check.h"
#include "tensor/tensor.h"

namespace snncore::sample {

template <typename T>
tensor::Tensor tensor_of(DType dtype, const Shape& shape, const std::vector<T>& values) {
  std::byte* bytes = nullptr;
  tensor::Tensor t = tensor::make_tensor(dtype, shape, &bytes);
  if (t.bytes != values.size() * sizeof(T))
    throw Error(ErrorCode::kInvalidArgument, "sample tensor of another size");
  std::memcpy(bytes, values.data(), t.bytes);
  return t;
}
inline tensor::Tensor i32(const Shape& shape, const std::vector<int32_t>& v) {
  return tensor_of(DType::kI32, shape, v);
}
inline tensor::Tensor f32(const Shape& shape, const std::vector<float>& v) {
  return tensor_of(DType::kF32, shape, v);
}
inline tensor::Tensor f64(const Shape& shape, const std::vector<double>& v) {
  return tensor_of(DType::kF64, shape, v);
}
inline tensor::Tensor all_i32(int64_t channels, int32_t v) {
  return i32({channels}, std::vector<int32_t>(static_cast<size_t>(channels), v));
}

/// Codes that look random and are the same everywhere.
inline tensor::Tensor weight(const Shape& shape, int bits, tensor::Encoding encoding, uint32_t seed = 1) {
  size_t count = 1;
  for (const int64_t axis : shape) count *= static_cast<size_t>(axis);
  std::vector<int8_t> codes(count);
  const int32_t half = 1 << (bits - 1);
  for (int8_t& code : codes) {
    seed = seed * 1664525 + 1013904223;
    int32_t q = static_cast<int32_t>((seed >> 16) & static_cast<uint32_t>(2 * half - 1)) - half;
    if (encoding == tensor::Encoding::kSym && q == -half) q = 0;
    code = static_cast<int8_t>(q);
  }
  return tensor::encode_weight(codes.data(), shape, bits, encoding, "sample");
}

/// A graph that grows node by node; every node is named like the edge it writes.
struct Growing {
  graph::Graph graph;

  ops::Node& add(const std::string& name, const std::string& op, std::vector<std::string> inputs,
                 ops::Attrs attrs, std::vector<std::pair<std::string, tensor::Tensor>> tensors = {}) {
    ops::Node node;
    node.name = name;
    node.op = op;
    node.inputs = std::move(inputs);
    node.outputs = {name};
    node.attrs = std::move(attrs);
    for (auto& [role, t] : tensors) {
      node.tensors[role] = name + "." + role;
      graph.tensors[name + "." + role] = std::move(t);
    }
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back();
  }

  void input(const std::string& name, const ops::Edge& edge, const std::string& layout) {
    graph.inputs.push_back({name, name, layout});
    graph.edges[name] = edge;
  }
  void output(const std::string& edge) { graph.outputs.push_back({edge, edge, ""}); }
  graph::Graph done() {
    graph::infer_edges(graph);
    return std::move(graph);
  }
};

inline ops::Edge pixels(const Shape& shape) {
  ops::Edge edge;
  edge.type = ops::EdgeType::kPixel;
  edge.shape = shape;
  edge.hi = 255;
  edge.zero_point = {125, 123, 114};
  edge.scale = 1.0 / 63.0;
  return edge;
}

inline ops::Attrs conv_attrs(int64_t stride = 1, int64_t padding = 1, int64_t groups = 1) {
  return {{"stride", std::vector<int64_t>{stride, stride}},
          {"padding", std::vector<int64_t>{padding, padding, padding, padding}},
          {"dilation", std::vector<int64_t>{1, 1}},
          {"groups", groups}};
}
inline ops::Attrs pool_attrs(int64_t kernel) {
  return {{"kernel", std::vector<int64_t>{kernel, kernel}},
          {"stride", std::vector<int64_t>{kernel, kernel}},
          {"padding", std::vector<int64_t>{0, 0, 0, 0}}};
}
inline ops::Attrs lif_attrs(const std::string& profile, const std::string& state, const std::string& leak,
                            int64_t param, const std::string& reset, int64_t unit_bits) {
  return {{"arith", "int"},      {"profile", profile}, {"state", state},         {"leak", leak},
          {"leak_param", param}, {"reset", reset},     {"leak_at_store", false}, {"unit_bits", unit_bits},
          {"decay", 0.5},        {"threshold", 1.0},   {"input_gain", 1.0},      {"strict", false}};
}
inline ops::Attrs float_attrs(double decay) {
  return {{"arith", "f32"},    {"decay", decay},      {"threshold", 1.0},
          {"input_gain", 0.5}, {"reset", "subtract"}, {"strict", true}};
}

/// Pixels, a residual block with a shortcut convolution and an identity, counts, integer readout; profiles U
/// and W.
inline graph::Graph image_net() {
  using tensor::Encoding;
  Growing g;
  g.input("image", pixels({8, 8, 3}), "NCHW");
  g.add("stem", "conv2d", {"image"}, conv_attrs(),
        {{"weight", weight({6, 3, 3, 3}, 8, Encoding::kSym)}, {"scale", f64({1}, {0.01})}});
  g.add("stem.requant", "requant", {"stem"}, {{"wide", false}},
        {{"M.0", all_i32(6, 100)}, {"C", all_i32(6, -7)}, {"n", all_i32(6, 9)}});
  g.add("stem.lif", "lif", {"stem.requant"}, lif_attrs("W", "i8", "q15", 16384, "zero", 6),
        {{"theta", all_i32(6, 64)}});
  g.add("pool", "maxpool2d", {"stem.lif"}, pool_attrs(2));
  g.add("body", "conv2d", {"pool"}, conv_attrs(1, 1, 2),
        {{"weight", weight({6, 3, 3, 3}, 4, Encoding::kOdd)}, {"scale", f64({6}, {1, 2, 3, 4, 5, -6})}});
  g.add("short", "conv2d", {"pool"}, conv_attrs(1, 0),
        {{"weight", weight({6, 1, 1, 6}, 1, Encoding::kOdd)}, {"scale", f64({1}, {0.5})}});
  g.add("body.requant", "requant", {"body", "short", "pool"}, {{"wide", false}},
        {{"M.0", all_i32(6, 300)},
         {"M.1", all_i32(6, 77)},
         {"K.2", all_i32(6, -40)},
         {"C", all_i32(6, 5)},
         {"n", all_i32(6, 4)}});
  g.add("body.lif", "lif", {"body.requant"}, lif_attrs("W", "i16", "shift", 1, "subtract", 12),
        {{"theta", all_i32(6, 4096)}, {"psi", all_i32(6, 4096)}});
  g.add("sum", "add", {"body.lif", "pool"}, {});
  g.add("means", "avgpool2d", {"sum"}, pool_attrs(2));
  g.add("flat", "flatten", {"means"}, {});
  g.add("hidden", "linear", {"flat"}, {},
        {{"weight", weight({5, 24}, 2, Encoding::kSym)}, {"scale", f64({1}, {0.25})}});
  g.add("hidden.requant", "requant", {"hidden"}, {{"wide", false}},
        {{"M.0", all_i32(5, 16)}, {"C", all_i32(5, 3)}, {"n", all_i32(5, 0)}});
  auto attrs = lif_attrs("U", "i16", "none", 0, "zero", 4);
  attrs["decay"] = 1.0;
  g.add("hidden.if", "if", {"hidden.requant"}, attrs, {{"theta", all_i32(5, 20)}});
  g.add("head", "linear", {"hidden.if"}, {},
        {{"weight", weight({3, 5}, 2, Encoding::kOdd)}, {"scale", f64({1}, {0.25})}});
  g.add("logits", "readout", {"head"}, {{"mode", "mean"}},
        {{"scale", f64({1}, {0.125})}, {"bias", f64({3}, {0, 0.5, -1})}});
  g.output("logits");
  g.graph.timesteps = 2;
  g.graph.labels = {"cat", "dog", "k\xc3\xa4se"};
  g.graph.has_preprocess = true;
  g.graph.preprocess = {8, 8, "center", "rgb"};
  g.graph.provenance = {{"name", "sample"}, {"notes", "made by a test"}};
  return g.done();
}

/// Spikes in, spikes out, exact thresholds.
inline graph::Graph exact_net() {
  Growing g;
  g.input("spikes", ops::spike_edge({70}), "TNC");
  g.add("fc", "linear", {"spikes"}, {},
        {{"weight", weight({4, 70}, 1, tensor::Encoding::kOdd)}, {"scale", f64({4}, {1, 1, 1, 1})}});
  g.add("fc.requant", "requant", {"fc"}, {{"wide", false}},
        {{"M.0", all_i32(4, 8)}, {"C", all_i32(4, 0)}, {"n", all_i32(4, 0)}});
  g.add("fc.lif", "lif", {"fc.requant"}, lif_attrs("X", "i16", "half_floor", 0, "zero", 3),
        {{"theta", i32({4, 4}, std::vector<int32_t>(16, 30))}});
  g.output("fc.lif");
  g.graph.timesteps = 4;
  return g.done();
}

/// Weights of more than a page, and constants of every width that files know.
inline graph::Graph wide_net() {
  std::vector<int32_t> m(96), c(96), n(96);
  std::vector<double> odd(96), round(96);
  for (size_t i = 0; i < 96; ++i) {
    const auto k = static_cast<int32_t>(i);
    m[i] = 1000 + k, c[i] = 70000 * (k % 7) - 3, n[i] = 9 + k % 2;
    odd[i] = 0.1 * (k + 1), round[i] = 0.25 * k - 3;
  }
  Growing g;
  g.input("spikes", ops::spike_edge({128}), "TNC");
  g.add("fc1", "linear", {"spikes"}, {},
        {{"weight", weight({96, 128}, 8, tensor::Encoding::kSym)}, {"scale", f64({96}, odd)}});
  g.add("fc1.requant", "requant", {"fc1"}, {{"wide", false}},
        {{"M.0", i32({96}, m)}, {"C", i32({96}, c)}, {"n", i32({96}, n)}});
  g.add("fc1.lif", "lif", {"fc1.requant"}, lif_attrs("W", "i16", "shift", 1, "zero", 12),
        {{"theta", all_i32(96, 4096)}});
  g.add("fc2", "linear", {"fc1.lif"}, {},
        {{"weight", weight({96, 96}, 8, tensor::Encoding::kSym, 2)}, {"scale", f64({96}, round)}});
  g.add("fc2.requant", "requant", {"fc2"}, {{"wide", false}},
        {{"M.0", i32({96}, m)}, {"C", all_i32(96, 1 << 20)}, {"n", all_i32(96, 9)}});
  g.add("fc2.lif", "lif", {"fc2.requant"}, lif_attrs("W", "i16", "shift", 1, "zero", 12),
        {{"theta", all_i32(96, 4096)}});
  g.add("fc3", "linear", {"fc2.lif"}, {},
        {{"weight", weight({96, 96}, 8, tensor::Encoding::kSym, 3)}, {"scale", f64({1}, {0.5})}});
  g.add("logits", "readout", {"fc3"}, {{"mode", "mean"}},
        {{"scale", f64({96}, odd)}, {"bias", f64({96}, std::vector<double>(96, 0.0))}});
  g.output("logits");
  return g.done();
}

inline graph::Graph float_net() {
  Growing g;
  ops::Edge image = ops::real_edge({4, 4, 3});
  image.zero_point = {1, 2, 3};
  image.scale = 0.1;
  g.input("image", image, "NCHW");
  g.add("conv", "conv2d", {"image"}, conv_attrs(2, 1),
        {{"weight", f32({2, 3, 3, 3}, std::vector<float>(54, 0.1F))}, {"bias", f32({2}, {0.5F, -1})}});
  g.add("lif", "lif", {"conv"}, float_attrs(0.5));
  g.add("conv2", "conv2d", {"lif"}, conv_attrs(),
        {{"weight", f32({2, 3, 3, 2}, std::vector<float>(36, -0.1F))}});
  g.add("sum", "add", {"conv2", "lif"}, {});
  g.add("mean", "avgpool2d", {"sum"}, pool_attrs(2));
  g.add("flat", "flatten", {"mean"}, {});
  g.add("if", "if", {"flat"}, float_attrs(1));
  g.add("fc", "linear", {"if"}, {}, {{"weight", f32({2, 2}, {1, 2, 3, 4})}});
  g.add("out", "readout", {"fc"}, {{"mode", "last"}});
  g.output("out");
  g.graph.timesteps = 3;
  return g.done();
}

}  // namespace snncore::sample
