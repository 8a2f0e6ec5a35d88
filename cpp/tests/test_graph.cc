#include "graph/graph.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>

#include "base/checked.h"
#include "ops/bounds.h"
#include "ops/check.h"
#include "sample_graphs.h"

namespace snncore {
namespace {

using graph::Graph;
using ops::EdgeType;
using Ints = std::vector<int64_t>;

ops::Node& node(Graph& graph, const std::string& name) {
  for (ops::Node& n : graph.nodes) {
    if (n.name == name) return n;
  }
  throw Error(ErrorCode::kInvalidArgument, "no node " + name);
}

/// The graph after `change` is refused, by both entry points that look at nodes, with a message that holds
/// `expected`.
void refused(const std::function<void(Graph&)>& change, const std::string& expected,
             Graph graph = sample::image_net()) {
  change(graph);
  CAPTURE(expected);
  try {
    graph::validate(graph);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kFormat);
    CHECK_MESSAGE(std::string(error.what()).find(expected) != std::string::npos, std::string(error.what()));
  }
}

void attr_refused(const std::string& name, const std::string& key, const ops::Attr& value,
                  const std::string& expected, const Graph& graph = sample::image_net()) {
  refused([&](Graph& g) { node(g, name).attrs[key] = value; }, expected, graph);
}

void tensor_refused(const std::string& tensor, const tensor::Tensor& value, const std::string& expected,
                    const Graph& graph = sample::image_net()) {
  refused([&](Graph& g) { g.tensors[tensor] = value; }, expected, graph);
}

TEST_CASE("samples are valid") {
  CHECK_NOTHROW(graph::validate(sample::image_net()));
  CHECK_NOTHROW(graph::validate(sample::exact_net()));
  CHECK_NOTHROW(graph::validate(sample::float_net()));
}

TEST_CASE("shapes, units and ranges are inferred") {
  const Graph g = sample::image_net();
  CHECK(g.edges.at("stem").shape == Shape{8, 8, 6});
  CHECK(g.edges.at("stem").type == EdgeType::kSum);
  CHECK(g.edges.at("stem.requant").type == EdgeType::kCurrent);
  CHECK(g.edges.at("pool").shape == Shape{4, 4, 6});
  CHECK(ops::edge_dtype(g.edges.at("sum")) == "u2");
  CHECK(g.edges.at("means").hi == 8);
  CHECK(g.edges.at("means").divisor == 4);
  CHECK(ops::edge_dtype(g.edges.at("means")) == "u4");
  CHECK(g.edges.at("flat").shape == Shape{24});
  CHECK(g.edges.at("logits").type == EdgeType::kReal);
  CHECK(graph::producer(g, "pool")->op == "maxpool2d");
  CHECK(graph::producer(g, "image") == nullptr);
}

TEST_CASE("pixel sums have the exact range of p - z") {
  const Graph g = sample::image_net();
  const tensor::Tensor& w = g.tensors.at("stem.weight");
  const Ints& z = g.edges.at("image").zero_point;
  int64_t lo = 0, hi = 0;
  for (size_t c = 0; c < 6; ++c) {
    int64_t channel_lo = 0, channel_hi = 0;
    for (size_t i = 0; i < 27; ++i) {
      const int64_t m = tensor::code_at(w, c * 27 + i), a = -z[i % 3] * m, b = (255 - z[i % 3]) * m;
      channel_lo += std::min(a, b);
      channel_hi += std::max(a, b);
    }
    lo = std::min(lo, channel_lo);
    hi = std::max(hi, channel_hi);
  }
  CHECK(g.edges.at("stem").lo == lo);
  CHECK(g.edges.at("stem").hi == hi);
}

TEST_CASE("the range of a current is proven channel by channel") {
  const Graph g = sample::image_net();
  const auto range = [&](const char* name) {
    return ops::channel_range(graph::view(g, *graph::producer(g, name)));
  };
  const ops::ChannelRange body = range("body"), side = range("short");
  int64_t lo = INT64_MAX, hi = INT64_MIN;
  for (size_t c = 0; c < 6; ++c) {
    lo = std::min(lo, ((body.lo[c] * 300 + side.lo[c] * 77 + 5 + 8) >> 4) - 40);
    hi = std::max(hi, (body.hi[c] * 300 + side.hi[c] * 77 + 5 + 8) >> 4);
  }
  CHECK(g.edges.at("body.requant").lo == lo);
  CHECK(g.edges.at("body.requant").hi == hi);
}

TEST_CASE("grouped pixels use the zero points of their group") {
  sample::Growing net;
  net.input("image", sample::pixels({1, 1, 3}), "NCHW");
  const std::vector<int8_t> ones = {1, 1, 1};
  net.add("conv", "conv2d", {"image"}, sample::conv_attrs(1, 0, 3),
          {{"weight", tensor::encode_weight(ones.data(), {3, 1, 1, 1}, 2, tensor::Encoding::kSym, "w")},
           {"scale", sample::f64({1}, {1})}});
  net.add("flat", "flatten", {"conv"}, {});
  net.add("out", "readout", {"flat"}, {{"mode", "sum"}},
          {{"scale", sample::f64({1}, {1})}, {"bias", sample::f64({3}, {0, 0, 0})}});
  net.output("out");
  const Graph g = net.done();
  const ops::ChannelRange range = ops::channel_range(graph::view(g, g.nodes[0]));
  CHECK(range.lo == Ints{-125, -123, -114});
  CHECK(range.hi == Ints{130, 132, 141});
  CHECK(range.a_max == Ints{255, 255, 255});
}

TEST_CASE("structure") {
  refused([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); },
          "requant 'stem.requant': reads edge 'stem', which no input");
  refused([](Graph& g) { node(g, "stem").inputs = {"body.lif"}; }, "conv2d 'stem': reads edge 'body.lif'");
  refused([](Graph& g) { node(g, "body").name = "short"; }, "node 'short' occurs twice");
  refused([](Graph& g) { node(g, "body").outputs = {"image"}; }, "writes edge 'image', which exists already");
  refused([](Graph& g) { node(g, "body").outputs = {}; }, "writes 1 edge, states 0");
  refused([](Graph& g) { node(g, "body").inputs = {}; }, "has no input");
  refused([](Graph& g) { node(g, "body").inputs = {"pool", "pool"}; }, "takes 1 input, has 2");
  refused([](Graph& g) { node(g, "body").op = "conv3d"; }, "conv3d 'body': unknown operation");
  refused([](Graph& g) { node(g, "body").version = 2; }, "conv2d 'body': unknown version 2");
  refused([](Graph& g) { node(g, "body").attrs["spin"] = true; }, "conv2d 'body': unknown attribute 'spin'");
  refused([](Graph& g) { node(g, "body").attrs.erase("groups"); }, "attribute 'groups' is missing");
  refused([](Graph& g) { node(g, "body").tensors["theta"] = "stem.lif.theta"; },
          "unknown tensor role 'theta'");
  refused([](Graph& g) { node(g, "body").tensors["bias"] = "stem.scale"; },
          "has no use for a tensor 'bias' here");
  refused([](Graph& g) { node(g, "body").tensors.erase("weight"); }, "tensor 'weight' is missing");
  refused([](Graph& g) { g.tensors.erase("body.weight"); }, "tensor 'body.weight' (weight) does not exist");
  refused([](Graph& g) { g.nodes.clear(); }, "at least one");
  refused([](Graph& g) { g.nodes[0].name = std::string(257, 'x'); }, "1 to 256 bytes");
  refused([](Graph& g) { g.nodes[0].name = "a\nb"; }, "control character");
  refused(
      [](Graph& g) { g.tensors["pad.9"] = g.tensors["stem.scale"], g.nodes[0].tensors["scale"] = "pad.9"; },
      "kept for padding");
  refused([](Graph& g) { g.tensors["stem.scale"].bytes = 4; }, "in 4 bytes");
}

TEST_CASE("edges are stated as they are inferred") {
  refused([](Graph& g) { g.edges["stem"].hi -= 1; },
          "conv2d 'stem': output edge 'stem' must be i32 sum [8, 8, 6]");
  refused([](Graph& g) { g.edges["pool"].shape[0] = 5; }, "must be b1 [4, 4, 6]");
  refused([](Graph& g) { g.edges["means"].divisor = 2; }, "of unit 1/4");
  refused([](Graph& g) { g.edges.erase("pool"); }, "16 are stated");
  refused([](Graph& g) { g.edges["more"] = g.edges["pool"]; }, "18 are stated");
  refused([](Graph& g) { g.edges["more"] = g.edges["pool"], g.edges.erase("pool"); },
          "output edge 'pool' is not stated");
}

TEST_CASE("inputs") {
  refused([](Graph& g) { g.inputs.clear(); }, "at least one");
  refused([](Graph& g) { g.inputs.push_back(g.inputs[0]); }, "input 'image' occurs twice");
  refused([](Graph& g) { g.edges["image"].zero_point[1] = 256; }, "zero_point must be in 0..255, holds 256");
  refused([](Graph& g) { g.edges["image"].zero_point.pop_back(); }, "3 channels and 2 zero points");
  refused([](Graph& g) { g.edges["image"].scale = 0; }, "scale must be positive");
  refused([](Graph& g) { g.edges["image"].scale = 1e-300; }, "scale must be positive");
  refused([](Graph& g) { g.edges["image"].hi = 254; }, "do not belong to u8");
  refused([](Graph& g) { g.edges["image"].type = EdgeType::kSum; }, "is i32");
  refused([](Graph& g) { g.edges["image"].type = EdgeType::kSpike; }, "do not belong to b1");
  refused([](Graph& g) { g.edges["image"].shape = {8, 8}; }, "must be [H, W, C] or [F]");
  refused(
      [](Graph& g) {
        g.edges["image"].shape = {int64_t{1} << 20, int64_t{1} << 20, 3};
      },
      "has the shape");
  refused([](Graph& g) { g.inputs[0].layout = "NCWHH"; }, "layout must be a permutation of NCHW");
  refused([](Graph& g) { g.inputs[0].layout = "NC"; }, "layout must be");
}

TEST_CASE("outputs, labels, preprocessing, timesteps") {
  refused([](Graph& g) { g.outputs.clear(); }, "outputs");
  refused([](Graph& g) { g.outputs[0].edge = "stem"; }, "must be b1, u<p> or f32, is i32 sum");
  refused([](Graph& g) { g.outputs[0].edge = "image"; }, "no node writes edge 'image'");
  refused([](Graph& g) { g.outputs.push_back(g.outputs[0]); }, "output 'logits' occurs twice");
  refused([](Graph& g) { g.labels.pop_back(); }, "labels: there are 2, output 'logits' is [3]");
  refused([](Graph& g) { g.preprocess.width = 9; }, "preprocess gives [8, 9, 3]");
  refused([](Graph& g) { g.preprocess.crop = "zoom"; }, "preprocess.crop");
  refused([](Graph& g) { g.preprocess.color = "gray"; }, "preprocess gives [8, 8, 1]");
  refused([](Graph& g) { g.timesteps = 0; }, "timesteps must be in 1..4096");
  refused([](Graph& g) { g.timesteps = 4097; }, "timesteps must be in 1..4096");
}

TEST_CASE("convolutions and linear layers") {
  attr_refused("body", "stride", Ints{0, 1}, "attribute 'stride' must be in 1..65535, holds 0");
  attr_refused("body", "stride", Ints{1}, "must have 2 integers, has 1");
  attr_refused("body", "stride", 1.5, "must be a list of integers");
  attr_refused("body", "padding", Ints{0, 0, -1, 0}, "holds -1");
  attr_refused("body", "padding", Ints{0, 0, 0, INT64_MAX}, "attribute 'padding' must be in 0..65535");
  attr_refused("body", "dilation", Ints{9, 9}, "larger than the padded input");
  attr_refused("body", "groups", int64_t{3}, "weight has 3 input channels a group, input has 2");
  attr_refused("body", "groups", int64_t{4}, "divide into 4 groups");
  attr_refused("body", "groups", int64_t{0}, "attribute 'groups' must be in 1..6");
  attr_refused("stem", "groups", true, "attribute 'groups' must be an integer");
  tensor_refused("stem.weight", sample::weight({6, 3, 3, 4}, 8, tensor::Encoding::kSym),
                 "weight has 4 input channels, input has 3");
  tensor_refused("stem.weight", sample::weight({6, 27}, 8, tensor::Encoding::kSym),
                 "weight must have 4 axes");
  tensor_refused("stem.weight", sample::i32({6, 3, 3, 3}, std::vector<int32_t>(162)),
                 "weight must be codes or f32, is i32");
  tensor_refused("stem.weight", sample::f32({6, 3, 3, 3}, std::vector<float>(162)),
                 "for float weights, is u8 pixel");
  tensor_refused("head.weight", sample::weight({3, 6}, 2, tensor::Encoding::kOdd),
                 "weight has 6 inputs, input has 5");
  tensor_refused("body.scale", sample::f64({5}, {1, 2, 3, 4, 5}),
                 "tensor 'scale' must be f64 [6], is f64 [5]");
  tensor_refused("body.scale", sample::f32({1}, {1}), "tensor 'scale' must be f64 [1], is f32 [1]");
  tensor_refused("stem.scale", sample::f64({1}, {NAN}), "tensor 'scale' holds a value that is not finite");
  tensor_refused("conv.bias", sample::f32({2}, {0, INFINITY}),
                 "tensor 'bias' holds a value that is not finite", sample::float_net());
  tensor_refused("conv.weight", sample::weight({2, 3, 3, 3}, 8, tensor::Encoding::kSym),
                 "tensor 'scale' is missing", sample::float_net());
  refused([](Graph& g) { node(g, "head").inputs = {"pool"}; }, "must be a vector [F]");
}

TEST_CASE("weight codes as stored") {
  const auto with = [](const std::string& name, const std::function<void(tensor::Tensor&)>& change) {
    return [=](Graph& g) { change(g.tensors.at(name)); };
  };
  refused(with("body.weight", [](auto& t) { t.bits = 3; }), "weight has 3 bits");
  refused(with("body.weight", [](auto& t) { t.bits = 2; }), "must be stored as u64 [6]");
  refused(with("body.weight", [](auto& t) { t.logical[0] = 5; }), "must be stored as u64 [9]");
  refused(with("body.weight", [](auto& t) { t.logical[0] = int64_t{1} << 62; }),
          "must have 1..2147483647 elements");
  refused(with("short.weight", [](auto& t) { t.encoding = tensor::Encoding::kSym; }),
          "needs at least 2 bits");
  refused(with("body.weight", [](auto& t) { const_cast<std::byte*>(t.data)[t.bytes - 1] = std::byte{0x10}; }),
          "bits set after its last element");
  for (const int bits : {2, 4, 8}) {
    Graph g = sample::image_net();
    tensor::Tensor t = sample::weight({3, 5}, bits, tensor::Encoding::kOdd);
    const auto lowest = static_cast<std::byte>(bits == 8 ? 0x80 : bits == 4 ? 0x80 : 0x20);
    std::memset(const_cast<std::byte*>(t.data), 0, t.bytes);
    t.encoding = tensor::Encoding::kSym;
    tensor_refused("head.weight", t, "is stated as");  // fine as such
    const_cast<std::byte*>(t.data)[1] = lowest;
    tensor_refused("head.weight", t,
                   "has the code " + std::to_string(-(1 << (bits - 1))) + ", which sym leaves out");
  }
}

TEST_CASE("requant") {
  tensor_refused("stem.requant.M.0", sample::all_i32(6, -1),
                 "tensor 'M.0' must be in 0..2147483647, holds -1");
  tensor_refused("stem.requant.n", sample::all_i32(6, 31), "tensor 'n' must be in 0..30, holds 31");
  tensor_refused("stem.requant.n", sample::all_i32(6, -1), "tensor 'n' must be in 0..30");
  tensor_refused("stem.requant.C", sample::all_i32(5, 0), "tensor 'C' must be i32 [6], is i32 [5]");
  tensor_refused("stem.requant.M.0", sample::all_i32(6, 32767),
                 "before the shift, past 31 bits, and is not wide");
  tensor_refused("stem.requant.C", sample::all_i32(6, INT32_MIN), "past 31 bits");
  refused(
      [](Graph& g) {
        node(g, "stem.requant").attrs["wide"] = true,
                g.tensors["stem.requant.M.0"] = sample::all_i32(6, INT32_MAX);
      },
      "the current of channel 0 may lie in");
  attr_refused("stem.requant", "wide", int64_t{0}, "must be true or false");
  refused(
      [](Graph& g) {
        node(g, "body.requant").inputs = {"body", "pool", "short"};
      },
      "tensor 'K.1' is missing");
  refused([](Graph& g) { node(g, "body.requant").inputs.pop_back(); }, "one factor for each input");
  refused([](Graph& g) { node(g, "body.requant").tensors["M.3"] = "body.requant.M.1"; },
          "one factor for each input");
  refused([](Graph& g) { node(g, "body.requant").tensors["M.x"] = "body.requant.M.1"; },
          "unknown tensor role 'M.x'");
  refused([](Graph& g) { node(g, "body.requant").inputs[2] = "stem.lif"; },
          "inputs must have one shape, have [4, 4, 6] and [8, 8, 6]");
  refused([](Graph& g) { node(g, "stem.requant").inputs[0] = "image"; },
          "must be a sum, a stream, spikes or counts, is u8 pixel");
}

TEST_CASE("factors for each step") {
  const auto rows = [](int64_t steps, int32_t v) {
    return sample::i32({steps, 6}, std::vector<int32_t>(static_cast<size_t>(6 * steps), v));
  };
  const auto with = [&](const char* role, const tensor::Tensor& t, Graph g = sample::image_net()) {
    g.tensors.at(std::string("stem.requant.") + role) = t;
    graph::infer_edges(g);
    return g;
  };
  const Graph plain = sample::image_net();
  const ops::Edge& before = plain.edges.at("stem.requant");
  tensor::Tensor twice = rows(2, *plain.tensors.at("stem.requant.M.0").as<int32_t>());
  CHECK(with("M.0", twice).edges.at("stem.requant") == before);
  std::memset(const_cast<std::byte*>(twice.data), 0, 6 * sizeof(int32_t));
  CHECK(with("M.0", twice).edges.at("stem.requant") == before);  // the second step decides
  CHECK(with("C", rows(2, 0)).edges.at("stem.requant").type == EdgeType::kCurrent);
  tensor_refused("stem.requant.M.0", rows(1, 1), "has factors for 1 steps, timesteps is 2");
  tensor_refused("stem.requant.C", rows(1, 1), "has factors for 1 steps, timesteps is 2");
  tensor_refused("stem.requant.M.0", rows(4097, 1), "a row for each of at most 4096 steps, has 4097");
  tensor_refused("stem.requant.M.0", sample::i32({2, 5}, std::vector<int32_t>(10, 1)),
                 "tensor 'M.0' must be i32 [2, 6], is i32 [2, 5]");
  tensor_refused("stem.requant.n", rows(2, 1), "tensor 'n' must be i32 [6], is i32 [2, 6]");
  tensor_refused("stem.requant.M.0", rows(2, -1), "tensor 'M.0' must be in 0..");
  tensor_refused("stem.requant.M.0", rows(2, 32767), "before the shift, past 31 bits, and is not wide");
  refused(
      [&](Graph& g) {
        g.tensors.at("stem.requant.M.0") = rows(2, 1);
        g.tensors.at("stem.requant.C") = rows(3, 1);
      },
      "tensor 'C' must have a row for each of 2 steps, has 3");
}

TEST_CASE("a current needs the layer that gives its sum") {
  sample::Growing g;
  g.input("x", ops::spike_edge({1, 1, 2}), "NCHW");
  g.add("conv", "conv2d", {"x"}, sample::conv_attrs(1, 0),
        {{"weight", sample::weight({2, 1, 1, 2}, 4, tensor::Encoding::kOdd)},
         {"scale", sample::f64({1}, {1})}});
  g.add("flat", "flatten", {"conv"}, {});
  g.add("requant", "requant", {"flat"}, {{"wide", false}},
        {{"M.0", sample::all_i32(2, 1)}, {"C", sample::all_i32(2, 0)}, {"n", sample::all_i32(2, 0)}});
  g.output("requant");
  CHECK_THROWS_WITH_AS(
      g.done(),
      doctest::Contains("sum 'flat' must come straight from conv2d, linear, attention, count or a map"),
      Error);
}

TEST_CASE("wide products are allowed when the current fits") {
  Graph g = sample::image_net();
  node(g, "stem.requant").attrs["wide"] = true;
  g.tensors["stem.requant.M.0"] = sample::all_i32(6, 1 << 20);
  g.tensors["stem.requant.n"] = sample::all_i32(6, 30);
  graph::infer_edges(g);
  CHECK_NOTHROW(graph::validate(g));
}

TEST_CASE("integer neurons") {
  attr_refused("stem.lif", "arith", "int8", "must be one of int, f32, is 'int8'");
  attr_refused("stem.lif", "arith", "f32", "unknown attribute");
  attr_refused("stem.lif", "profile", "Y", "must be one of U, W, X");
  attr_refused("stem.lif", "state", "i64", "must be one of i2, i4, i8, i16, i32");
  attr_refused("stem.lif", "leak", "slow", "attribute 'leak' must be one of");
  attr_refused("stem.lif", "leak_param", int64_t{32768}, "must be in 0..32767");
  attr_refused("stem.lif", "leak", "none", "attribute 'leak_param' must be in 0..0, is 16384");
  attr_refused("body.lif", "leak_param", int64_t{0}, "must be in 1..15");
  attr_refused("body.lif", "leak_param", 1.0, "must be an integer");
  attr_refused("stem.lif", "reset", "value", "must be one of zero, subtract");
  attr_refused("stem.lif", "unit_bits", int64_t{31}, "must be in -1..30");
  attr_refused("stem.lif", "decay", NAN, "attribute 'decay' must be finite");
  attr_refused("stem.lif", "decay", "0.5", "must be a number");
  attr_refused("stem.lif", "strict", int64_t{1}, "must be true or false");
  attr_refused("hidden.if", "decay", 0.5, "attribute 'decay' must be 1");
  attr_refused("hidden.if", "leak", "half_floor", "must be one of none");
  tensor_refused("stem.lif.theta", sample::all_i32(6, 32768),
                 "tensor 'theta' must be in -32767..32767, holds 32768 at element 0");
  tensor_refused("stem.lif.theta", sample::all_i32(6, -32768), "must be in -32767..32767");
  tensor_refused("body.lif.psi", sample::all_i32(6, -1), "tensor 'psi' must be in 0..32767");
  refused([](Graph& g) { node(g, "stem.lif").tensors["psi"] = "stem.lif.theta"; },
          "has no use for a tensor 'psi' here");
  refused([](Graph& g) { node(g, "body.lif").tensors.erase("psi"); }, "tensor 'psi' is missing");
  refused([](Graph& g) { node(g, "stem.lif").inputs[0] = "stem"; },
          "must be a current (from requant), is i32 sum");
}

TEST_CASE("profile U") {
  const auto changed = [](int32_t m, int32_t n, int64_t unit_bits, const char* state) {
    Graph g = sample::image_net();
    g.tensors["hidden.requant.M.0"] = sample::all_i32(5, m);
    g.tensors["hidden.requant.n"] = sample::all_i32(5, n);
    node(g, "hidden.if").attrs["unit_bits"] = unit_bits;
    node(g, "hidden.if").attrs["state"] = state;
    graph::infer_edges(g);
  };
  const auto refused_with = [&](const char* expected, int32_t m, int32_t n, int64_t unit_bits,
                                const char* state) {
    CHECK_THROWS_WITH_AS(changed(m, n, unit_bits, state), doctest::Contains(expected), Error);
  };
  refused_with("profile U needs M = 2^4", 17, 0, 4, "i16");
  refused_with("profile U needs n = 0", 16, 1, 4, "i16");
  refused_with("must be in 0..30, is -1", 16, 0, -1, "i16");
  refused_with("profile U with state i16 holds values up to 32767", 1 << 10, 0, 10, "i16");
  CHECK_NOTHROW(changed(1 << 10, 0, 10, "i32"));
  CHECK_NOTHROW(changed(1 << 3, 0, 3, "i8"));
}

TEST_CASE("profile X") {
  const Graph g = sample::exact_net();
  const auto infer_refused = [&](const std::function<void(Graph&)>& change, const char* expected) {
    Graph changed = g;
    change(changed);
    CHECK_THROWS_WITH_AS(graph::infer_edges(changed), doctest::Contains(expected), Error);
  };
  infer_refused([](Graph& x) { x.tensors["fc.requant.M.0"] = sample::all_i32(4, 4); },
                "profile X needs M = 2^3");
  infer_refused([](Graph& x) { x.tensors["fc.requant.C"] = sample::all_i32(4, 1); }, "profile X needs C = 0");
  infer_refused([](Graph& x) { x.tensors["fc.requant.n"] = sample::all_i32(4, 1); }, "profile X needs n = 0");
  infer_refused([](Graph& x) { node(x, "fc.lif").attrs["unit_bits"] = int64_t{2}; },
                "tensor 'theta' must be i32 [3, 4]");
  infer_refused([](Graph& x) { node(x, "fc.lif").attrs["leak"] = "none"; }, "profile X needs reset zero");
  infer_refused([](Graph& x) { node(x, "fc.lif").attrs["state"] = "i8"; }, "profile X needs reset zero");
  infer_refused([](Graph& x) { node(x, "fc.lif").attrs["leak_at_store"] = true; },
                "profile X needs reset zero");
  infer_refused([](Graph& x) { x.timesteps = 5; }, "profile X takes 4 steps, timesteps is 5");
  infer_refused(
      [](Graph& x) {
        node(x, "fc.requant").inputs.push_back("fc");
        node(x, "fc.requant").tensors["M.1"] = "fc.requant.M.0";
      },
      "a requant with one input");
  const auto deep = [](Graph& x, int32_t f) {
    x.tensors["fc.requant.M.0"] = sample::all_i32(4, 1 << f);
    x.tensors["fc.lif.theta"] =
        sample::i32({f + 1, 4}, std::vector<int32_t>(static_cast<size_t>(4 * f + 4), 30));
    node(x, "fc.lif").attrs["unit_bits"] = int64_t{f};
  };
  Graph fits = g;
  deep(fits, 7);  // 2^8 * 70 = 17920
  CHECK_NOTHROW(graph::infer_edges(fits));
  infer_refused([&](Graph& x) { deep(x, 8); }, "may reach 35840");
}

TEST_CASE("float neurons") {
  const Graph g = sample::float_net();
  attr_refused("lif", "threshold", 1e39, "must be finite in float32", g);
  attr_refused("if", "decay", 0.5, "attribute 'decay' must be 1", g);
  attr_refused("lif", "profile", "W", "unknown attribute 'profile'", g);
  attr_refused("lif", "strict", 1.0, "must be true or false", g);
  Graph whole = g;
  node(whole, "lif").attrs["decay"] = int64_t{1};  // a number may be written as an integer
  CHECK_NOTHROW(graph::validate(whole));
}

// A neuron of counts with a synapse, between a convolution and a linear layer.
Graph ruled_net() {
  sample::Growing g;
  ops::Edge x;
  x.type = EdgeType::kReal;
  x.shape = {3, 2, 4};
  g.input("x", x, "NCHW");
  g.add("n", "neuron", {"x"},
        {{"synapse", "jump"},
         {"charge", "relax_divide"},
         {"fire", "count"},
         {"most", int64_t{9}},
         {"voltage", "new"},
         {"reset", "subtract"},
         {"reset_step", "same"},
         {"correct", false},
         {"floor", "clamp"},
         {"refractory", "none"},
         {"refractory_steps", int64_t{0}}},
        {{"rate", sample::f32({1}, {2})},
         {"threshold", sample::f32({4}, {1, 2, 3, 4})},
         {"floor_value", sample::f32({3, 2, 4}, std::vector<float>(24, -1))}});
  g.output("n");
  return g.done();
}

TEST_CASE("neurons of named expressions") {
  const Graph g = ruled_net();
  CHECK_NOTHROW(graph::validate(g));
  CHECK(ops::edge_dtype(g.edges.at("n")) == "u4");
  attr_refused("n", "charge", "euler", "attribute 'charge' must be one of decay, relax_divide,", g);
  attr_refused("n", "synapse", int64_t{1}, "'synapse'", g);
  attr_refused("n", "correct", "yes", "must be true or false", g);
  attr_refused("n", "tau", 2.0, "unknown attribute 'tau'", g);
  attr_refused("n", "most", int64_t{65536}, "'most'", g);
  attr_refused("n", "most", int64_t{0}, "'most'", g);
  attr_refused("n", "refractory_steps", int64_t{1}, "'refractory_steps'", g);
  attr_refused("n", "refractory", "hold", "'refractory_steps'", g);
  attr_refused("n", "voltage", "old", "fire 'count' needs voltage 'new' and reset_step 'same'", g);
  attr_refused("n", "correct", true, "correct needs voltage 'new'", g);
  attr_refused("n", "fire", "above", "'most'", g);
  attr_refused("n", "floor", "none", "tensor 'floor_value' is not used by these stages", g);
  tensor_refused("n.rate", sample::f32({1}, {0}), "must not be 0", g);
  tensor_refused("n.rate", sample::f32({3}, {1, 1, 1}), "must be F32 [1], [4] or [3, 2, 4], is [3]", g);
  tensor_refused("n.rate", sample::all_i32(1, 2), "must be F32 [1]", g);
  tensor_refused("n.rate", sample::f32({1}, {HUGE_VALF}), "'rate' holds a value that is not finite", g);
  tensor_refused("n.threshold", sample::f32({4}, {1, 2, 0, 4}), "fire 'count' needs a threshold above 0", g);
  refused([](Graph& x) { node(x, "n").tensors.erase("rate"); }, "", g);
  refused([](Graph& x) { node(x, "n").attrs.erase("floor"); }, "'floor'", g);
}

TEST_CASE("pools, sums, flatten, readout") {
  attr_refused("pool", "kernel", Ints{0, 2}, "a kernel side must be in 1..65535, is 0");
  attr_refused("pool", "kernel", Ints{9, 9}, "larger than the padded input");
  attr_refused("pool", "stride", Ints{-1, 1}, "attribute 'stride'");
  refused([](Graph& g) { node(g, "pool").inputs[0] = "image"; }, "must be spikes (b1) or f32, is u8 pixel");
  refused([](Graph& g) { node(g, "sum").inputs.pop_back(); }, "takes 2 to 64 inputs, has 1");
  refused([](Graph& g) { node(g, "sum").inputs[1] = "body"; }, "must be spikes, counts or f32, is i32 sum");
  refused([](Graph& g) { node(g, "flat").inputs[0] = "body.requant"; }, "than the current of a neuron");
  attr_refused("logits", "mode", "max", "attribute 'mode' must be sum, mean or last");
  tensor_refused("logits.bias", sample::f64({2}, {0, 0}), "tensor 'bias' must be f64 [3]");
  tensor_refused("logits.scale", sample::f64({1}, {INFINITY}), "tensor 'scale' holds");
  refused([](Graph& g) { node(g, "logits").tensors.erase("bias"); }, "tensor 'bias' is missing");
  refused([](Graph& g) { node(g, "out").tensors["scale"] = "conv.weight"; },
          "has no use for a tensor 'scale' here", sample::float_net());

  const auto largest = [](const Ints& padding) {
    sample::Growing g;
    g.input("x", ops::real_edge({3, 5, 2}), "NCHW");
    g.add("y", "maxpool2d", {"x"}, {{"kernel", Ints{2, 3}}, {"stride", Ints{1, 1}}, {"padding", padding}});
    g.output("y");
    return g.done().edges.at("y");
  };
  CHECK(largest({1, 0, 2, 1}) == ops::real_edge({3, 6, 2}));
  CHECK_THROWS_WITH_AS(largest({0, 0, 0, 3}),
                       doctest::Contains("padding of real values must be smaller than the kernel, is 3 of 3"),
                       Error);

  sample::Growing big;
  big.input("x", ops::spike_edge({300, 300, 1}), "NCHW");
  big.add("pool", "avgpool2d", {"x"}, sample::pool_attrs(300));
  big.output("pool");
  CHECK_THROWS_WITH_AS(big.done(), doctest::Contains("a count may reach 90000"), Error);

  sample::Growing units;
  units.input("x", ops::spike_edge({2, 2, 1}), "NCHW");
  units.add("a", "avgpool2d", {"x"}, sample::pool_attrs(2));
  units.add("b", "maxpool2d", {"x"}, sample::pool_attrs(2));
  units.add("c", "add", {"a", "b"}, {});
  units.output("c");
  CHECK_THROWS_WITH_AS(units.done(), doctest::Contains("counts of different units have no integer sum"),
                       Error);
}

TEST_CASE("a sum that leaves 32 bits is refused") {
  sample::Growing g;
  ops::Edge x = ops::spike_edge({200000});
  x.type = EdgeType::kCount;
  x.hi = 65535;
  g.input("x", x, "NC");
  g.add(
      "fc", "linear", {"x"}, {},
      {{"weight", sample::weight({1, 200000}, 8, tensor::Encoding::kOdd)}, {"scale", sample::f64({1}, {1})}});
  g.output("fc");
  CHECK_THROWS_WITH_AS(g.done(), doctest::Contains("past 32 bits"), Error);
}

TEST_CASE("a long chain is checked in linear time") {
  sample::Growing g;
  g.input("x0", ops::real_edge({2}), "NC");
  for (int i = 0; i < 10000; ++i) {
    const std::string from = "x" + std::to_string(i), to = "x" + std::to_string(i + 1);
    g.add(to, "add", {from, from}, {});
  }
  g.output("x10000");
  graph::Graph chain = g.done();
  CHECK_NOTHROW(graph::validate(chain));
  chain.nodes.push_back(chain.nodes.back());
  CHECK_THROWS_WITH_AS(graph::validate(chain), doctest::Contains("there are 10001, at most 10000"), Error);
}

TEST_CASE("what no tensor is as long as is not kept without end") {
  sample::Growing g;
  g.input("x", sample::pixels({1 << 11, 1 << 10, 3}), "NCHW");
  g.add("flat", "flatten", {"x"}, {});
  g.output("flat");
  CHECK_THROWS_WITH_AS(g.done(), doctest::Contains("channels without weights"), Error);
}

}  // namespace
}  // namespace snncore
