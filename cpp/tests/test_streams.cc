// Int32 streams and the saccadic neuron: ranges, refusals, and a network of both in every mode.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <snncore/snncore.h>

#include "format/snn.h"
#include "graph/graph.h"
#include "graph/stream_constants.h"
#include "ops/check.h"
#include "sample_graphs.h"

namespace snncore {
namespace {

using graph::Graph;
using sample::all_i32;
using sample::f64;

constexpr int64_t kSteps = 3, kSide = 4, kIn = 3, kWide = 6, kHeads = 2;

void weighted(sample::Growing& g, const std::string& name, const std::string& x, const Shape& shape,
              uint32_t seed) {
  g.add(name, "conv2d", {x}, sample::conv_attrs(1, 0),
        {{"weight", sample::weight(shape, 4, tensor::Encoding::kSym, seed)}, {"scale", f64({1}, {0.5})}});
}

void writer(sample::Growing& g, const std::string& name, const std::vector<std::string>& inputs,
            int32_t factor) {
  g.add(name, "residual", inputs, {{"unit", 0.25}},
        {{"M.0", all_i32(kWide, factor)}, {"C", all_i32(kWide, 900)}, {"n", all_i32(kWide, 3)}});
}

void neuron(sample::Growing& g, const std::string& name, const std::string& stream) {
  g.add(name + ".current", "requant", {stream}, {{"wide", true}},
        {{"M.0", all_i32(kWide, 1 << 20)}, {"C", all_i32(kWide, 0)}, {"n", all_i32(kWide, 20)}});
  g.add(name, "lif", {name + ".current"}, sample::lif_attrs("W", "i16", "q15", 16384, "zero", 12),
        {{"theta", all_i32(kWide, 4096)}});
}

/// A stem, two writers, neurons on the stream, a gate of two of their sums, and a head behind the mean.
Graph stream_net() {
  sample::Growing g;
  g.input("x", ops::spike_edge({kSide, kSide, kIn}), "TNCHW");
  weighted(g, "stem", "x", {kWide, 1, 1, kIn}, 3);
  writer(g, "r0", {"stem"}, 2000);
  neuron(g, "n0", "r0");
  weighted(g, "body", "n0", {kWide, 1, 1, kWide}, 4);
  writer(g, "r1", {"body", "r0"}, 1500);
  neuron(g, "n1", "r1");
  weighted(g, "q", "n1", {kHeads, 1, 1, kWide}, 5);
  weighted(g, "k", "n1", {kHeads, kSide, kSide, kWide}, 6);
  g.add("gate", "saccade", {"q", "k"}, {{"mode", std::string("v1_joint")}},
        {{"mix", f64({kSteps, kSteps}, {1, 0, 0, 0.5, 1, 0, -0.25, 0.5, 1})},
         {"threshold", f64({kSteps}, {-1, 2, 0.5})}});
  weighted(g, "back", "gate", {kWide, 1, 1, kHeads}, 7);
  writer(g, "r2", {"back", "r1"}, 1000);
  g.add("mean", "readout", {"r2"}, {{"mode", std::string("mean")}},
        {{"scale", f64({1}, {0.25 / 16})}, {"bias", f64({kWide}, std::vector<double>(kWide, 0.5))}});
  g.add("fc", "linear", {"mean"}, {}, {{"weight", sample::f32({2, kWide}, std::vector<float>(12, 0.5F))}});
  g.output("gate");
  g.output("fc");
  g.graph.timesteps = kSteps;
  return g.done();
}

ops::Node& node(Graph& graph, const std::string& name) { return graph::find_node(graph, name); }

void refused(const std::function<void(Graph&)>& change, const std::string& expected) {
  Graph graph = stream_net();
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

void tensor_refused(const std::string& name, const tensor::Tensor& value, const std::string& expected) {
  refused([&](Graph& g) { g.tensors.at(name) = value; }, expected);
}

TEST_CASE("the range of a stream is the sum of its writers', and saturates") {
  Graph g = stream_net();
  CHECK_NOTHROW(graph::validate(g));
  const ops::Edge &r0 = g.edges.at("r0"), &stem = g.edges.at("stem");
  CHECK(r0.type == ops::EdgeType::kStream);
  CHECK(r0.lo == (stem.lo * 2000 + 900 + 4) >> 3);
  CHECK(r0.hi == (stem.hi * 2000 + 900 + 4) >> 3);
  CHECK(g.edges.at("n0.current").hi == r0.hi);
  CHECK(g.edges.at("r1").hi <= r0.hi + ((g.edges.at("body").hi * 1500 + 904) >> 3));
  for (const char* name : {"r0", "r1", "r2"}) {  // every writer close to the end of 32 bits
    ops::Node& n = node(g, name);
    const auto most = std::max(-g.edges.at(n.inputs[0]).lo, g.edges.at(n.inputs[0]).hi);
    g.tensors.at(n.tensors.at("M.0")) = all_i32(kWide, static_cast<int32_t>((INT32_MAX - 900) / most));
    g.tensors.at(n.tensors.at("n")) = all_i32(kWide, 0);
  }
  CHECK_NOTHROW(graph::infer_edges(g));
  CHECK_NOTHROW(graph::validate(g));
  CHECK(g.edges.at("r2").hi == INT32_MAX);
  CHECK(g.edges.at("n1.current").hi == INT32_MAX);
}

TEST_CASE("what is written to a stream saturates before it is added") {
  Graph g = stream_net();
  ops::Node& r1 = node(g, "r1");
  g.tensors.at(r1.tensors.at("M.0")) = all_i32(kWide, INT32_MAX);
  g.tensors.at(r1.tensors.at("n")) = all_i32(kWide, 0);
  CHECK_NOTHROW(graph::infer_edges(g));
  CHECK_NOTHROW(graph::validate(g));
  CHECK(g.edges.at("r1").lo == INT32_MIN);
  CHECK(g.edges.at("r1").hi == INT32_MAX);
  r1.inputs.push_back("n0");  // spikes, which do not
  r1.tensors["K.2"] = "r1.K.2";
  g.tensors["r1.K.2"] = all_i32(kWide, INT32_MAX);
  CHECK_NOTHROW(graph::validate(g));
  r1.inputs.push_back("n0");
  r1.tensors["K.3"] = "r1.K.2";
  CHECK_THROWS_WITH_AS(graph::validate(g), doctest::Contains("what spikes add to channel 0 may lie in"),
                       Error);
}

TEST_CASE("what a stream may not be") {
  refused([](Graph& g) { node(g, "n0.current").attrs["wide"] = false; }, "reads a stream and must be wide");
  refused([](Graph& g) { node(g, "r0").attrs["unit"] = 0.0; }, "attribute 'unit' must be positive");
  refused([](Graph& g) { node(g, "r0").attrs["unit"] = std::numeric_limits<double>::quiet_NaN(); },
          "attribute 'unit' must be finite");
  refused([](Graph& g) { node(g, "r1").tensors.erase("M.0"); }, "tensor 'M.0' is missing");
  refused([](Graph& g) { node(g, "r1").tensors["M.1"] = "r1.M.0"; }, "must have one factor for each input");
  refused([](Graph& g) { node(g, "n0").attrs["profile"] = std::string("U"); }, "profile U");
  refused([](Graph& g) { std::swap(node(g, "r1").inputs[0], node(g, "r1").inputs[1]); },
          "tensor 'M.1' is missing");
  refused([](Graph& g) { node(g, "k").inputs[0] = "r1"; }, "is i32 stream");
  refused([](Graph& g) { node(g, "q").inputs[0] = "n1.current"; }, "is i32 current");
  sample::Growing flat;
  flat.graph = stream_net();
  flat.graph.nodes.resize(2);  // up to r0
  flat.add("flat", "flatten", {"r0"}, {});
  flat.add("current", "requant", {"flat"}, {{"wide", true}},
           {{"M.0", all_i32(kWide * kSide * kSide, 1)},
            {"C", all_i32(kWide * kSide * kSide, 0)},
            {"n", all_i32(kWide * kSide * kSide, 0)}});
  CHECK_THROWS_WITH(flat.done(), "requant 'current': stream 'flat' must come straight from residual");
  refused([](Graph& g) { g.outputs[0].edge = "r2"; }, "must be b1, u<p> or f32, is i32 stream");
  tensor_refused("r0.n", all_i32(kWide, 31), "tensor 'n' must be in 0..30");
  tensor_refused("r0.M.0", all_i32(kWide, -1), "tensor 'M.0' must be in 0..");
  tensor_refused("mean.bias", f64({kWide + 1}, std::vector<double>(kWide + 1, 0.0)), "tensor 'bias' must be");
}

TEST_CASE("what a saccade may not be") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  refused([](Graph& g) { node(g, "gate").attrs["mode"] = std::string("v3"); }, "is 'v3'");
  refused([](Graph& g) { node(g, "gate").attrs["mode"] = std::string("v2_joint_static"); },
          "takes 1 input, has 2");
  refused([](Graph& g) { node(g, "gate").inputs = {"q", "q"}; }, "for kappa an i32 sum [1, 1, 2]");
  refused([](Graph& g) { node(g, "gate").inputs[0] = "r1"; }, "an i32 sum [H, W, heads], is i32 stream");
  refused([](Graph& g) { g.timesteps = kSteps + 1; }, "weighs 3 steps, timesteps is 4");
  tensor_refused("gate.threshold", f64({2}, {1, 2}), "tensor 'mix' must be");
  tensor_refused("gate.threshold", f64({kSteps}, {1, kNan, 2}), "not finite");
  tensor_refused("gate.mix", f64({kSteps, kSteps}, {1, 0, 0, 0, 1, 0.5, 0, 0, 1}),
                 "must be lower triangular, row 1 weighs step 2");
}

TEST_CASE("no sum of a stream's pixels leaves 64 bits") {
  ops::Edge edge = ops::stream_edge({32768, 16384, 1}, INT32_MIN, INT32_MAX);
  const ops::Node n{.name = "mean", .op = "readout", .attrs = {{"mode", std::string("sum")}}};
  const ops::TensorMap none;
  const auto* op = ops::find_op("readout", 1);
  CHECK_THROWS_WITH(op->infer({n, {&edge}, none}),
                    "readout 'mean': the sum of 536870912 pixels of up to 2147483648 may leave 64 bits");
}

TEST_CASE("every byte of the header of a file with streams, changed") {
  const std::string valid = format::write_bytes(stream_net());
#if defined(SNNCORE_TEST_THIN)
  constexpr size_t kStep = 41;
#else
  constexpr size_t kStep = 1;
#endif
  size_t refusals = 0;
  for (size_t i = 0; i < valid.size() / 2; i += kStep) {
    std::string file = valid;
    file[i] = static_cast<char>(static_cast<unsigned char>(file[i]) ^ 1U);
    try {
      (void)format::read_bytes(std::as_bytes(std::span(file)), nullptr);
    } catch (const Error& error) {
      ++refusals;
      REQUIRE(error.code() == ErrorCode::kFormat);
    }
  }
  CHECK(refusals > 0);
}

std::vector<uint8_t> spikes(int64_t batch) {
  std::vector<uint8_t> x(static_cast<size_t>(kSteps * batch * kIn * kSide * kSide));
  uint32_t seed = 5;
  for (uint8_t& s : x) {
    seed = seed * 1664525 + 1013904223;
    s = static_cast<uint8_t>(seed >> 31);
  }
  return x;
}

TEST_CASE("a network of streams and a gate: a sequence is what its steps are one by one") {
  const std::string file = format::write_bytes(stream_net());
  const Model model = Model::from_bytes(file);
  constexpr int64_t kBatch = 3;
  const std::vector<uint8_t> x = spikes(kBatch);
  const size_t frame = x.size() / kSteps, gates = kBatch * kHeads * kSide * kSide;
  const TensorView all{x.data(), DType::kU8, {kSteps, kBatch, kIn, kSide, kSide}};
  size_t fired = 0;
  for (const int threads : {1, 2}) {
    Session sequence(model, {.batch = kBatch, .threads = threads, .record = {"gate", "mean.sum"}});
    Session stream(model, {.mode = Mode::kStream, .batch = kBatch, .threads = threads, .layout = "NCHW"});
    sequence.run({&all, 1});
    const auto gate = sequence.output(0), logits = sequence.output(1);
    REQUIRE(logits.size() == kBatch * 2);
    for (int64_t t = 0; t < kSteps; ++t) {
      const TensorView now{
          x.data() + static_cast<size_t>(t) * frame, DType::kU8, {kBatch, kIn, kSide, kSide}};
      stream.run({&now, 1});
      CHECK(std::ranges::equal(stream.output(0), gate.subspan(static_cast<size_t>(t) * gates, gates)));
    }
    CHECK(std::ranges::equal(stream.output(1), logits));
    CHECK_THROWS_WITH(stream.run({&all, 1}), "saccade 'gate' weighs 3 steps: call reset() first");
    stream.reset();
    fired = static_cast<size_t>(std::ranges::count(gate, 1.0F));
  }
  CHECK(fired > 0);
  CHECK(fired < kSteps * gates);
  CHECK_THROWS_WITH(Session(model, {.timesteps = kSteps + 1}), "saccade 'gate': weighs 3 steps, asked for 4");
}

TEST_CASE("constants of a writer") {
  const graph::CurrentTerm sum{.a = {0.5, 0.25}, .d = {1.0, -1000.0}, .a_max = {10, 10}};
  const graph::CurrentTerm spike{.is_sum = false, .a = {}, .d = {}, .a_max = {}, .unit = 1.0};
  const auto k = graph::stream_constants("residual 'r'", {sum, spike}, 2, 1.0 / 4096);
  CHECK(k.factors[1] == std::vector<int32_t>{4096, 4096});
  for (size_t c = 0; c < 2; ++c) {
    const double one = std::ldexp(1.0, k.n[c]) * 4096;
    CHECK(k.factors[0][c] == sum.a[c] * one);
    CHECK(k.c[c] == sum.d[c] * one);
  }
  CHECK(k.n[0] == 18);  // C = 2^30; one more and it would leave 32 bits
  CHECK_THROWS_AS(graph::stream_constants("residual 'r'", {sum}, 2, 1e-12), Error);
}

}  // namespace
}  // namespace snncore
