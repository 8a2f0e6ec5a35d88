// Delays and recurrence: all steps at once, step by step, and with threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ops/check.h"
#include "sample_graphs.h"
#include "small_network.h"

namespace snncore {
namespace {

constexpr int64_t kSteps = 9, kIn = 70, kHidden = 65;

std::vector<int8_t> codes(int64_t rows, int64_t columns, uint32_t seed) {
  std::vector<int8_t> out(static_cast<size_t>(rows * columns));
  for (int8_t& q : out) {
    seed = seed * 1664525 + 1013904223;
    q = static_cast<int8_t>(static_cast<int32_t>(seed >> 28) - 8);
  }
  return out;
}

std::string coded(GraphBuilder& b, const std::string& name, const std::string& x, int64_t rows,
                  int64_t columns) {
  const auto q = codes(rows, columns, static_cast<uint32_t>(name.size() * 77 + static_cast<size_t>(columns)));
  const double scale = 1.0 / 64;
  return b.linear(name, x,
                  {.shape = {rows, columns}, .codes = q, .encoding = "odd", .bits = 4, .scale = {&scale, 1}});
}

// Spikes in, a recurrent layer whose spikes come back after `delay` steps, spikes and their mean out.
Model recurrent(int64_t delay, const std::string& reset = "subtract") {
  GraphBuilder b;
  b.input("x", "b1", {kIn}, {}, 0, "TNC");
  b.delay("back", "n", delay, {kHidden});
  b.lif("n", b.add("sum", {coded(b, "in", "x", kHidden, kIn), coded(b, "loop", "back", kHidden, kHidden)}),
        {.decay = 0.75, .reset = reset});
  b.output("spikes", "n");
  b.output("mean", b.readout("mean", "n", "mean"));
  return b.build(kSteps);
}

std::vector<uint8_t> spikes(int64_t batch) {
  std::vector<uint8_t> x(static_cast<size_t>(kSteps * batch * kIn));
  uint32_t seed = 5;
  for (uint8_t& s : x) {
    seed = seed * 1664525 + 1013904223;
    s = seed >> 30 == 0;
  }
  return x;
}

TensorView view(const std::vector<uint8_t>& x, size_t first, const Shape& shape) {
  return {.data = x.data() + first, .dtype = DType::kU8, .shape = shape};
}

TEST_CASE("a recurrent layer: a sequence is what its steps are one by one, with any number of threads") {
  for (const int64_t delay : {1, 3, 20}) {
    CAPTURE(delay);
    const Model model = recurrent(delay);
    constexpr int64_t kBatch = 2;
    const auto x = spikes(kBatch);
    Session stream(model, {.mode = Mode::kStream, .batch = kBatch, .record = {"n", "n.v"}});
    for (const int threads : {1, 2}) {
      Session sequence(model, {.batch = kBatch, .threads = threads, .record = {"n", "n.v"}});
      for (const bool again : {false, true}) {
        CAPTURE(again);
        const TensorView all = view(x, 0, {kSteps, kBatch, kIn});
        sequence.run({&all, 1});
        CHECK(sequence.steps() == kSteps);
        const auto whole = sequence.recordings();
        stream.reset();
        for (size_t t = 0; t < kSteps; ++t) {
          const TensorView now = view(x, t * kBatch * kIn, {1, kBatch, kIn});
          stream.run({&now, 1});
          const auto step = stream.recordings();
          for (size_t i = 0; i < step.size(); ++i) {
            const size_t bytes = step[i].data.size();
            REQUIRE(whole[i].data.size() == kSteps * bytes);
            CHECK(std::equal(step[i].data.begin(), step[i].data.end(),
                             whole[i].data.begin() + static_cast<std::ptrdiff_t>(t * bytes)));
          }
          CHECK(std::ranges::equal(stream.output(0),
                                   sequence.output(0).subspan(t * kBatch * kHidden, kBatch * kHidden)));
        }
        CHECK(std::ranges::equal(stream.output(1), sequence.output(1)));
        CHECK(std::ranges::any_of(sequence.output(0), [](float s) { return s != 0; }));
      }
    }
  }
}

TEST_CASE("the loop is felt one delay later, not before") {
  const auto x = spikes(1);
  const TensorView all = view(x, 0, {kSteps, 1, kIn});
  Session soon(recurrent(1)), late(recurrent(4)), never(recurrent(kSteps));
  for (Session* s : {&soon, &late, &never}) s->run({&all, 1});
  const auto first = [&](const Session& a, size_t steps) { return a.output(0).first(steps * kHidden); };
  CHECK(std::ranges::equal(first(late, 4), first(never, 4)));
  CHECK_FALSE(std::ranges::equal(first(late, kSteps), first(never, kSteps)));
  CHECK_FALSE(std::ranges::equal(first(soon, 4), first(never, 4)));
}

TEST_CASE("state is saved and continued in the middle of a delay") {
  const Model model = recurrent(4);
  const auto x = spikes(1);
  Session a(model, {.mode = Mode::kStream}), b(model, {.mode = Mode::kStream});
  for (size_t t = 0; t < kSteps; ++t) {
    const TensorView now = view(x, t * kIn, {1, 1, kIn});
    if (t == 5) b.load_state(a.save_state());
    a.run({&now, 1});
    if (t < 5) continue;
    b.run({&now, 1});
    CHECK(std::ranges::equal(a.output(0), b.output(0)));
    CHECK(std::ranges::equal(a.output(1), b.output(1)));
  }
}

// Counts and reals, images and flattened images, forward.
TEST_CASE("a delay moves spikes, counts and reals in time") {
  GraphBuilder b;
  b.input("x", "b1", {3, 4, 4}, {}, 0, "TNCHW");
  b.input("r", "f32", {5}, {}, 0, "TNC");
  b.output("spikes", b.delay("s2", "x", 2));
  b.output("counts", b.delay("c1", b.avgpool2d("pool", "x", {}), 1));
  b.output("flat", b.delay("f3", b.flatten("flat", "x"), 3));
  b.output("reals", b.delay("r1", "r", 1));
  const Model model = b.build(kSteps);
  std::vector<uint8_t> x(kSteps * 48);
  std::vector<float> r(kSteps * 5);
  for (size_t i = 0; i < x.size(); ++i) x[i] = (i * i / 7) % 3 == 0;
  for (size_t i = 0; i < r.size(); ++i) r[i] = static_cast<float>(i) - 3.5F;
  Session sequence(model), stream(model, {.mode = Mode::kStream});
  const std::vector<TensorView> all{view(x, 0, {kSteps, 1, 3, 4, 4}),
                                    {.data = r.data(), .dtype = DType::kF32, .shape = {kSteps, 1, 5}}};
  sequence.run(all);
  for (size_t t = 0; t < kSteps; ++t) {
    const std::vector<TensorView> now{view(x, t * 48, {1, 1, 3, 4, 4}),
                                      {.data = r.data() + t * 5, .dtype = DType::kF32, .shape = {1, 1, 5}}};
    stream.run(now);
    for (size_t o = 0; o < 4; ++o) {
      CAPTURE(o);
      const size_t size = stream.output(o).size();
      CHECK(std::ranges::equal(stream.output(o), sequence.output(o).subspan(t * size, size)));
    }
    for (size_t i = 0; i < 48; ++i) {
      CHECK(stream.output(0)[i] == (t < 2 ? 0.0F : static_cast<float>(x[(t - 2) * 48 + i])));
      CHECK(stream.output(2)[i] == (t < 3 ? 0.0F : static_cast<float>(x[(t - 3) * 48 + i])));
    }
    for (size_t i = 0; i < 5; ++i) CHECK(stream.output(3)[i] == (t < 1 ? 0.0F : r[(t - 1) * 5 + i]));
  }
}

TEST_CASE("what a recurrent network cannot be") {
  const auto refused = [](auto&& make, const std::string& text) {
    GraphBuilder b;
    b.input("x", "b1", {kIn});
    CAPTURE(text);
    try {
      make(b);
      FAIL("accepted");
    } catch (const Error& e) {
      CHECK(std::string(e.what()).find(text) != std::string::npos);
    }
  };
  refused([](GraphBuilder& b) { b.delay("d", "x", 0); }, "attribute 'steps' must be in 1..4096");
  refused([](GraphBuilder& b) { b.delay("d", "later"); }, "there is no edge 'later'");
  refused([](GraphBuilder& b) { b.delay("d", "x", 1, {kIn}); }, "'x' exists");
  refused([](GraphBuilder& b) { b.delay("d", "d", 1, {kIn}, "u8"); }, "dtype must be b1 or f32");
  refused([](GraphBuilder& b) { b.delay("d", coded(b, "l", "x", kHidden, kIn)); }, "is an integer sum");
  refused(
      [](GraphBuilder& b) {
        b.output("y", b.delay("d", "later", 1, {kIn}));
        b.build(1);
      },
      "there is no edge 'later'");
  refused(
      [](GraphBuilder& b) {
        b.delay("d", "n", 1, {kHidden - 1});
        b.output("y", b.lif("n", coded(b, "l", "x", kHidden, kIn), {}));
        b.build(1);
      },
      "delay 'd'");
}

// A file with a loop, taken apart: what the loop reads must exist, be what is stated, and be a value.
TEST_CASE("what a file with a loop may not say") {
  const auto loop = [] {
    sample::Growing g;
    g.input("x", ops::spike_edge({8}), "NC");
    ops::Edge back = ops::spike_edge({5});
    g.graph.edges["back"] = back;
    g.add("back", "delay", {"fire"}, {{"steps", int64_t{2}}});
    const auto linear = [&](const std::string& name, const std::string& from, int64_t inputs) {
      g.add(name, "linear", {from}, {},
            {{"weight", sample::weight({5, inputs}, 4, tensor::Encoding::kOdd)},
             {"scale", sample::f64({1}, {0.1})}});
    };
    linear("in", "x", 8);
    linear("loop", "back", 5);
    g.add("sum", "requant", {"in", "loop"}, {{"wide", false}},
          {{"M.0", sample::all_i32(5, 9)},
           {"M.1", sample::all_i32(5, 9)},
           {"C", sample::all_i32(5, 0)},
           {"n", sample::all_i32(5, 0)}});
    g.add("fire", "lif", {"sum"}, sample::lif_attrs("W", "i16", "q15", 16384, "zero", -1),
          {{"theta", sample::all_i32(5, 100)}});
    g.output("fire");
    return g.done();
  };
  graph::validate(loop());
  const auto refused = [&](auto&& change, const std::string& text) {
    graph::Graph g = loop();
    change(g);
    CHECK_THROWS_WITH_AS(graph::validate(g), doctest::Contains(text.c_str()), Error);
  };
  refused([](graph::Graph& g) { g.nodes[0].inputs = {"gone"}; }, "which no input and no node writes");
  refused([](graph::Graph& g) { g.nodes[0].inputs = {"sum"}; }, "must be spikes, counts or f32");
  refused([](graph::Graph& g) { g.nodes[0].attrs["steps"] = int64_t{4097}; }, "1..4096");
  refused([](graph::Graph& g) { g.nodes[1].inputs = {"fire"}; }, "no earlier node writes");
  refused([](graph::Graph& g) { g.edges["back"].shape = {6}; }, "delay 'back'");
  refused([](graph::Graph& g) { g.edges["fire"].shape = {-5}; }, "delay 'back'");
  refused([](graph::Graph& g) { g.edges["fire"].shape = {6}; }, "delay 'back'");
}

}  // namespace
}  // namespace snncore
