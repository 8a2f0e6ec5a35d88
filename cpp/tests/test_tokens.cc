// attention, count and mask in a graph: what is inferred, what is refused, and one network that can be
// counted by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <snncore/snncore.h>

#include "graph/graph.h"
#include "kernels/common.h"
#include "sample_graphs.h"

namespace snncore {
namespace {

using ops::Attrs;
using ops::EdgeType;

/// A node on `x` [2, 3, 12], `small` [2, 3, 4], `other` [3, 2, 12], `channels` [1, 1, 12], and `values` f32.
graph::Graph with(const std::string& op, std::vector<std::string> inputs, Attrs attrs) {
  sample::Growing g;
  g.input("x", ops::spike_edge({2, 3, 12}), "NCHW");
  g.input("small", ops::spike_edge({2, 3, 4}), "NCHW");
  g.input("other", ops::spike_edge({3, 2, 12}), "NCHW");
  g.input("channels", ops::spike_edge({1, 1, 12}), "NCHW");
  g.input("vector", ops::spike_edge({12}), "NC");
  g.input("pairs", ops::spike_edge({3, 6, 6}), "NCHW");
  g.input("values", ops::real_edge({2, 3, 12}), "NCHW");
  g.input("large", ops::spike_edge({256, 256, 2}), "NCHW");
  g.input("deep", ops::spike_edge({1, 1, 32768}), "NCHW");
  g.add("y", op, std::move(inputs), std::move(attrs));
  g.output("y");
  return g.done();
}

void refused(const std::string& op, std::vector<std::string> inputs, Attrs attrs, const char* expected) {
  CAPTURE(expected);
  CHECK_THROWS_WITH_AS(with(op, std::move(inputs), std::move(attrs)), doctest::Contains(expected), Error);
}

void gives(const graph::Graph& g, const Shape& shape, int64_t most) {
  const ops::Edge& y = g.edges.at("y");
  CHECK(y.type == EdgeType::kSum);
  CHECK(y.shape == shape);
  CHECK(y.lo == 0);
  CHECK(y.hi == most);
}

const int64_t kOne = 1, kThree = 3;

TEST_CASE("shapes and ranges") {
  gives(with("attention", {"x", "x", "x"}, {{"heads", kThree}}), {2, 3, 12}, 6 * 4);
  gives(with("map_scores", {"x", "x"}, {{"variant", "qk"}, {"heads", kThree}}), {3, 6, 6}, 4);
  gives(with("map_scores", {"x", "x"}, {{"variant", "kv"}, {"heads", kThree}}), {3, 4, 4}, 6);
  gives(with("map_product", {"pairs", "x"}, {{"variant", "qk"}, {"heads", kThree}}), {2, 3, 12}, 6);
  gives(with("count", {"x"}, {{"over", "channels"}, {"heads", kThree}}), {2, 3, 3}, 4);
  gives(with("count", {"x", "x"}, {{"over", "tokens"}, {"heads", kOne}}), {1, 1, 12}, 6);
  gives(with("count", {"x"}, {{"over", "all"}, {"heads", kThree}}), {1, 1, 3}, 24);
  CHECK(with("mask", {"x", "small"}, {}).edges.at("y") == ops::spike_edge({2, 3, 12}));
  CHECK(with("mask", {"x", "channels"}, {}).edges.at("y") == ops::spike_edge({2, 3, 12}));
  CHECK(with("mask", {"x", "x"}, {}).edges.at("y") == ops::spike_edge({2, 3, 12}));
}

TEST_CASE("attention that does not fit is refused") {
  refused("attention", {"x", "x"}, {{"heads", kOne}}, "attention 'y': takes 3 inputs, has 2");
  refused("attention", {"x", "small", "x"}, {{"heads", kOne}},
          "k must have the shape [2, 3, 12], has [2, 3, 4]");
  refused("attention", {"x", "x", "other"}, {{"heads", kOne}},
          "v must have the shape [2, 3, 12], has [3, 2, 12]");
  refused("attention", {"values", "x", "x"}, {{"heads", kOne}},
          "q must be spikes b1 [H, W, D], is f32 [2, 3, 12]");
  refused("attention", {"vector", "vector", "vector"}, {{"heads", kOne}},
          "q must be spikes b1 [H, W, D], is b1 [12]");
  refused("attention", {"x", "x", "x"}, {{"heads", int64_t{5}}}, "'heads' must divide the 12 channels, is 5");
  refused("attention", {"x", "x", "x"}, {{"heads", int64_t{0}}}, "'heads' must be in 1..12, is 0");
  refused("attention", {"x", "x", "x"}, {{"heads", int64_t{-1}}}, "'heads' must be in 1..12, is -1");
  refused("attention", {"x", "x", "x"}, {{"heads", 1.5}}, "'heads' must be an integer");
  refused("attention", {"x", "x", "x"}, {}, "attribute 'heads' is missing");
  refused("attention", {"large", "large", "large"}, {{"heads", kOne}},
          "at most 65535 tokens and 32767 channels");
  refused("attention", {"deep", "deep", "deep"}, {{"heads", kOne}}, "has 1 and 32768");
}

TEST_CASE("maps that do not fit are refused") {
  const Attrs qk{{"variant", "qk"}, {"heads", kThree}}, kv{{"variant", "kv"}, {"heads", kThree}};
  refused("map_scores", {"x"}, qk, "map_scores 'y': takes 2 inputs, has 1");
  refused("map_scores", {"x", "small"}, qk, "y must have the shape [2, 3, 12], has [2, 3, 4]");
  refused("map_scores", {"values", "x"}, qk, "x must be spikes b1 [H, W, D], is f32 [2, 3, 12]");
  refused("map_scores", {"x", "x"}, {{"heads", kThree}}, "attribute 'variant' is missing");
  refused("map_scores", {"x", "x"}, {{"variant", "vk"}, {"heads", kThree}}, "must be qk or kv, is 'vk'");
  refused("map_scores", {"x", "x"}, {{"variant", "qk"}, {"heads", int64_t{5}}},
          "'heads' must divide the 12 channels, is 5");
  refused("map_scores", {"large", "large"}, {{"variant", "qk"}, {"heads", kOne}}, "at most 65535 tokens");
  refused("map_product", {"pairs", "x"}, kv, "map must have the shape [3, 4, 4], has [3, 6, 6]");
  refused("map_product", {"x", "x"}, qk, "map must have the shape [3, 6, 6], has [2, 3, 12]");
  refused("map_product", {"vector", "x"}, qk, "map must be spikes b1 [heads, a, b], is b1 [12]");
  refused("map_product", {"pairs", "values"}, qk, "x must be spikes b1 [H, W, D], is f32 [2, 3, 12]");
  refused("map_product", {"pairs", "x", "x"}, qk, "takes 2 inputs, has 3");
}

TEST_CASE("counts and masks that do not fit are refused") {
  const Attrs channels{{"over", "channels"}, {"heads", kOne}};
  refused("count", {"x", "x", "x"}, channels, "count 'y': takes 2 inputs, has 3");
  refused("count", {"x", "small"}, channels, "y must have the shape [2, 3, 12], has [2, 3, 4]");
  refused("count", {"values"}, channels, "x must be spikes b1 [H, W, D], is f32 [2, 3, 12]");
  refused("count", {"x"}, {{"over", "time"}, {"heads", kOne}}, "must be channels, tokens or all, is 'time'");
  refused("count", {"x"}, {{"over", "tokens"}, {"heads", kThree}}, "'heads' must be 1 over tokens, is 3");
  refused("count", {"x"}, {{"over", "all"}, {"heads", int64_t{7}}},
          "'heads' must divide the 12 channels, is 7");
  refused("mask", {"x"}, {}, "mask 'y': takes 2 inputs, has 1");
  refused("mask", {"x", "other"}, {},
          "mask must be [2, 3, G] with a G that divides 12, or [1, 1, 12], is [3, 2, 12]");
  refused("mask", {"small", "x"}, {}, "with a G that divides 4");
  refused("mask", {"x", "values"}, {}, "mask must be spikes");
  refused("mask", {"x", "small"}, {{"heads", kOne}}, "unknown attribute 'heads'");
}

TEST_CASE("three real values that are coupled") {
  CHECK(with("couple", {"values", "values", "values"}, {}).edges.at("y") == ops::real_edge({2, 3, 12}));
  refused("couple", {"values", "values"}, {}, "couple 'y': takes 3 inputs, has 2");
  refused("couple", {"values", "x", "values"}, {}, "input must be f32, is b1 [2, 3, 12]");
  refused("couple", {"values", "values", "small"}, {}, "inputs must have one shape");
}

TEST_CASE("the builder") {
  GraphBuilder b;
  b.input("x", "b1", {12, 2, 3});
  b.input("r", "f32", {12, 2, 3});
  CHECK(b.shape(b.count("c", "x", "", "channels", 3)) == Shape{3, 2, 3});
  CHECK_THROWS_WITH_AS(b.count("d", "x", "nobody", "all"), "count 'd': there is no edge 'nobody'", Error);
  CHECK_THROWS_WITH_AS(b.mask("d", "x", "c"), doctest::Contains("mask 'd': 'c' is an integer sum"), Error);
  CHECK_THROWS_WITH_AS(b.mask("d", "x", "r"), doctest::Contains("mask must be spikes"), Error);
  CHECK_THROWS_WITH_AS(b.attention("d", "x", "x", "x", 5), doctest::Contains("'heads' must divide"), Error);
  const std::vector<double> gamma{1, -1, 1}, zero(3, 0.0), one(3, 1.0);
  const std::vector<float> rate(1, 1.0F);
  RuleNeuronSpec sums{.fire = "none", .reset = "none"};
  sums.values = {{"rate", {{1}, rate}}};
  b.batch_norm("scaled", "c", gamma, zero, zero, one, 0);
  CHECK_THROWS_WITH_AS(b.neuron("m", "scaled", sums), doctest::Contains("'scaled' is an integer sum"), Error);
  b.output("y", b.lif("n", b.batch_norm("bn", "c", gamma, zero, zero, one, 0), {}));
  CHECK_THROWS_WITH_AS(b.build(1), doctest::Contains("n: count 'c' gets a negative scale"), Error);
}

// Two tokens, two heads of one channel each: q = k = (1 0 | 1 1), v = (1 1 | 0 1).
TEST_CASE("a product by hand") {
  GraphBuilder b;
  b.input("q", "b1", {2, 1, 2});
  b.input("v", "b1", {2, 1, 2});
  const std::string a = b.attention("a", "q", "q", "v", 2);
  b.output("y", b.lif("n", a, {.threshold = 2.0}));
  const std::vector<float> rate(1, 1.0F), gain(1, 0.25F);
  RuleNeuronSpec scaled{.fire = "none", .reset = "none"};
  scaled.values = {{"rate", {{1}, rate}}, {"input_gain", {{1}, gain}}};
  b.output("quarters", b.neuron("f", a, scaled));
  Session session(b.build(1), {.record = {"a.sum"}});
  const std::vector<uint8_t> q{1, 1, 0, 1}, v{1, 0, 1, 1};  // C, H, W
  session.run(std::vector<TensorView>{{q.data(), DType::kBool, {1, 2, 1, 2}},
                                      {v.data(), DType::kBool, {1, 2, 1, 2}}});
  const Recording r = session.recordings()[0];
  REQUIRE(r.data.size() == 4 * sizeof(int32_t));
  const auto* sums = reinterpret_cast<const int32_t*>(r.data.data());
  CHECK(std::vector<int32_t>(sums, sums + 4) == std::vector<int32_t>{1, 1, 0, 1});
  const std::span<const float> quarters = session.output(1);
  CHECK(std::vector<float>(quarters.begin(), quarters.end()) == std::vector<float>{0.25F, 0.25F, 0, 0.25F});
}

std::vector<int32_t> recorded_sums(const Recording& r) {
  std::vector<int32_t> sums(r.data.size() / sizeof(int32_t));
  std::memcpy(sums.data(), r.data.data(), r.data.size());
  return sums;
}

// Two tokens, one head of three channels: x = (1 1 0 | 1 0 1), y = (0 1 0 | 1 1 1), token by token.
TEST_CASE("maps by hand") {
  for (const bool tokens : {true, false}) {
    GraphBuilder b;
    b.input("x", "b1", {3, 2, 1});
    b.input("y", "b1", {3, 2, 1});
    const std::string variant = tokens ? "qk" : "kv";
    const std::string scores = b.map_scores("s", "x", "y", variant);
    CHECK(b.shape(scores) == (tokens ? Shape{2, 1, 2} : Shape{3, 1, 3}));
    const std::string map = b.lif("map", scores, {.decay = 0, .threshold = 1.0, .state = "i32"});
    b.output("z", b.lif("n", b.map_product("p", map, "y", variant), {.threshold = 2.0}));
    Session session(b.build(1), {.record = {"s.sum", "p.sum"}});
    const std::vector<uint8_t> x{1, 1, 1, 0, 0, 1}, y{0, 1, 1, 1, 0, 1};  // C, H, W
    session.run(std::vector<TensorView>{{x.data(), DType::kBool, {1, 3, 2, 1}},
                                        {y.data(), DType::kBool, {1, 3, 2, 1}}});
    const auto sums = recorded_sums(session.recordings()[0]),
               product = recorded_sums(session.recordings()[1]);
    if (tokens) {  // [b, a]; the map is 1 1 | 0 1
      CHECK(sums == std::vector<int32_t>{1, 0, 2, 2});
      CHECK(product == std::vector<int32_t>{1, 1, 2, 1, 1, 1});
    } else {  // the map is 1 1 1 | 0 1 0 | 1 1 1
      CHECK(sums == std::vector<int32_t>{1, 0, 1, 2, 1, 1, 1, 0, 1});
      CHECK(product == std::vector<int32_t>{1, 3, 1, 1, 1, 3});
    }
  }
}

// Spikes [2, 1, heads * dim, tokens, 1] and, by the definition, the sums of (Q K^T) V in the same order.
struct Many {
  size_t heads, dim, tokens;
  std::vector<uint8_t> q, k, v;
  std::vector<int32_t> sums;

  Many(test::Random& random, size_t h, size_t d, size_t n, double density) : heads(h), dim(d), tokens(n) {
    for (auto* spikes : {&q, &k, &v}) {
      spikes->resize(2 * heads * dim * tokens);
      for (uint8_t& s : *spikes) s = random.chance(density) ? 1 : 0;
    }
    sums.resize(q.size());
    for (size_t head = 0; head < 2 * heads; ++head) {
      for (size_t i = 0; i < dim; ++i) {
        for (size_t c = 0; c < dim; ++c) add(head * dim + i, head * dim + c);
      }
    }
  }
  void add(size_t i, size_t c) {
    const uint8_t *qi = &q[i * tokens], *ki = &k[i * tokens], *vc = &v[c * tokens];
    int32_t count = 0;
    for (size_t n = 0; n < tokens; ++n) count += ki[n] & vc[n];
    for (size_t n = 0; n < tokens; ++n) sums[c * tokens + n] += qi[n] * count;
  }
  [[nodiscard]] Shape image() const {
    return {static_cast<int64_t>(heads * dim), static_cast<int64_t>(tokens), 1};
  }
};

void check_many(const Many& m, double threshold, int threads) {
  GraphBuilder b;
  for (const char* name : {"q", "k", "v"}) b.input(name, "b1", m.image());
  const std::string sums = b.attention("a", "q", "k", "v", static_cast<int64_t>(m.heads));
  b.output("y", b.lif("n", sums, {.decay = 0, .threshold = threshold, .state = "i32"}));
  Session session(b.build(2), {.threads = threads, .layout = "TNCHW"});
  Shape shape = m.image();
  shape.insert(shape.begin(), {2, 1});
  session.run(std::vector<TensorView>{{m.q.data(), DType::kBool, shape},
                                      {m.k.data(), DType::kBool, shape},
                                      {m.v.data(), DType::kBool, shape}});
  const std::span<const float> fired = session.output();
  bool same = fired.size() == m.sums.size();
  for (size_t i = 0; same && i < fired.size(); ++i) same = (fired[i] == 1.0F) == (m.sums[i] >= threshold);
  CAPTURE(m.heads);
  CAPTURE(m.dim);
  CAPTURE(m.tokens);
  CAPTURE(threads);
  CHECK(same);
}

// Sums below and past 16 bits, in one block of tokens and in several; heads together and apart.
TEST_CASE("attention whose sums are stored nowhere") {
  test::Random random(1);
  for (const size_t tokens : {70, 248, 249, 1500}) {
    for (const double density : {0.2, 1.0}) {
      const Many m(random, random.size(1, 3), tokens > 1000 ? 50 : random.size(1, 66), tokens, density);
      const double threshold = m.sums[random.size(0, m.sums.size() - 1)];
      for (const int threads : {1, 5}) check_many(m, std::max(threshold, 1.0), threads);
    }
  }
}

// A gate makes its counts itself, unless somebody wants to see them.
TEST_CASE("counts that a gate reads") {
  test::Random random(2);
  for (const bool two : {false, true}) {
    GraphBuilder b;
    b.input("x", "b1", {24, 3, 5}, {}, 0, "TNCHW");
    b.input("z", "b1", {24, 3, 5}, {}, 0, "TNCHW");
    const std::string counts = b.count("c", "x", two ? "z" : "", "channels", 3);
    const std::vector<double> threshold{3, 2}, mix{1, 0, 0.5, 0.75};
    const std::string gate = b.saccade("g", counts, "", {"v2_joint_static", threshold, mix});
    b.output("y", b.mask("m", "z", gate));
    const Model model = b.build(2);
    std::vector<uint8_t> x(size_t{2} * 24 * 15), z(x.size());
    for (auto* spikes : {&x, &z}) {
      for (uint8_t& s : *spikes) s = random.chance(0.5) ? 1 : 0;
    }
    const std::vector<TensorView> inputs{{x.data(), DType::kBool, {2, 1, 24, 3, 5}},
                                         {z.data(), DType::kBool, {2, 1, 24, 3, 5}}};
    Session alone(model), seen(model, {.record = {"c.sum", "g"}});
    alone.run(inputs);
    seen.run(inputs);
    CHECK(std::ranges::equal(alone.output(), seen.output()));
    const std::vector<int32_t> sums = recorded_sums(seen.recordings()[0]);  // T, N, heads, H, W
    std::vector<float> expected;
    for (size_t t = 0; t < 2; ++t) {
      for (size_t c = 0; c < 24; ++c) {
        for (size_t p = 0; p < 15; ++p) {
          const size_t at = c / 8 * 15 + p;
          const double sum = t == 0 ? sums[at] : 0.5 * sums[at] + 0.75 * sums[45 + at];
          expected.push_back(sum >= threshold[t] ? static_cast<float>(z[(t * 24 + c) * 15 + p]) : 0.0F);
        }
      }
    }
    CHECK(std::ranges::equal(alone.output(), expected));
  }
}

}  // namespace
}  // namespace snncore
