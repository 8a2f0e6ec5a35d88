// The saccadic attention of SNN-ViT: its gate on numbers that can be checked by hand, the largest counts
// there are, and what a run leaves out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <snncore/snncore.h>

#include "kernels/common.h"
#include "runtime/skips.h"

namespace snncore {
namespace {

using test::Random;

struct Gate {
  std::string mode;
  std::vector<double> threshold, mix;
};

// Spikes [T, 1, D, H, W] through a count of each patch (and of all, where the mode scales by it) and the
// gate.
std::vector<float> decisions(const Gate& gate, const Shape& image, const std::vector<uint8_t>& x,
                             int64_t steps, Mode mode = Mode::kSequence) {
  GraphBuilder b;
  b.input("x", "b1", image, {}, 0, "TNCHW");
  const bool scaled = gate.mode == "v1_joint" || gate.mode == "v2_dec_dynamic";
  const std::string q = b.count("q", "x", "", "channels"), k = scaled ? b.count("k", "x", "", "all") : "";
  b.output("y", b.saccade("gate", q, k, {gate.mode, gate.threshold, gate.mix}));
  const Model model = b.build(steps);
  Session session(model, {.mode = mode, .layout = mode == Mode::kStream ? "NCHW" : ""});
  const size_t frame = x.size() / static_cast<size_t>(steps);
  std::vector<float> found;
  const auto run = [&](const uint8_t* from, Shape shape) {
    shape.insert(shape.end(), image.begin(), image.end());
    session.run(std::vector<TensorView>{{from, DType::kBool, shape}});
    const auto y = session.output(0);
    found.insert(found.end(), y.begin(), y.end());
  };
  if (mode == Mode::kSequence) {
    run(x.data(), {steps, 1});
  } else {
    for (int64_t t = 0; t < steps; ++t) run(x.data() + static_cast<size_t>(t) * frame, {1});
  }
  return found;
}

TEST_CASE("joint and decoupled gates differ without a spike, and agree where nothing mixes") {
  const std::vector<uint8_t> silence(2 * 3, 0);
  // w = M^-1 V of M = [[1, 0], [1, 1]], V = (1, 1) is (1, 0).
  CHECK(decisions({"v2_joint_static", {1, 1}, {1, 0, 1, 1}}, {3, 1, 1}, silence, 2) ==
        std::vector<float>{0, 0});
  CHECK(decisions({"v2_dec_static", {1, 0}, {}}, {3, 1, 1}, silence, 2) == std::vector<float>{0, 1});
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<uint8_t> x(4 * 6 * 4);
    for (uint8_t& s : x) s = random.chance(0.5) ? 1 : 0;
    const std::vector<double> v{2, 3, 1, 4}, half{1, 1.5, 0.5, 2};
    std::vector<double> two(16, 0.0), one(16, 0.0);
    for (size_t t = 0; t < 4; ++t) two[5 * t] = 2, one[5 * t] = 1;
    const Shape image{6, 2, 2};
    CHECK(decisions({"v2_joint_static", v, two}, image, x, 4) ==
          decisions({"v2_dec_static", half, {}}, image, x, 4));
    CHECK(decisions({"v1_joint", v, one}, image, x, 4) == decisions({"v2_dec_dynamic", v, {}}, image, x, 4));
  }
}

TEST_CASE("a sum that meets its threshold fires") {
  const std::vector<uint8_t> x{1, 1, 0, 1, 0, 0};  // counts 2, then 1
  CHECK(decisions({"v2_joint_static", {2, 4}, {1, 0, 1.5, 1}}, {3, 1, 1}, x, 2) == std::vector<float>{1, 1});
  CHECK(decisions({"v2_dec_static", {2, 1}, {}}, {3, 1, 1}, x, 2) == std::vector<float>{1, 1});
  CHECK(decisions({"v2_dec_static", {2.25, 1.25}, {}}, {3, 1, 1}, x, 2) == std::vector<float>{0, 0});
}

TEST_CASE("a stream decides as a sequence, and fewer steps as the first of more") {
  Random random(2);
  for (const char* mode : {"v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic"}) {
    std::vector<uint8_t> x(4 * 5 * 6);
    for (uint8_t& s : x) s = random.chance(0.4) ? 1 : 0;
    Gate gate{mode, {}, {}};
    const bool scaled = gate.mode == "v1_joint" || gate.mode == "v2_dec_dynamic";
    for (int t = 0; t < 4; ++t) gate.threshold.push_back(scaled ? 20.0 + t : 2.0 + t % 2);
    if (gate.mode.find("joint") != std::string::npos) {
      for (int i = 0; i < 16; ++i) gate.mix.push_back(i % 4 <= i / 4 ? 1.0 - 0.25 * (i / 4 - i % 4) : 0.0);
    }
    const Shape image{5, 2, 3};
    const std::vector<float> all = decisions(gate, image, x, 4);
    CHECK(decisions(gate, image, x, 4, Mode::kStream) == all);
    CHECK(std::ranges::count(all, 1.0F) % 24 != 0);
    const std::vector<uint8_t> half(x.begin(), x.begin() + 2 * 30);
    CHECK(decisions(gate, image, half, 2) == std::vector<float>(all.begin(), all.begin() + 12));
  }
}

TEST_CASE("every neuron of 512 channels and 196 patches fires") {
  const std::vector<uint8_t> x(512 * 14 * 14, 1);
  const double most = 512.0 * 196 * 512;  // past 2^24: float32 would not hold it
  CHECK(decisions({"v1_joint", {most}, {1}}, {512, 14, 14}, x, 1) == std::vector<float>(196, 1.0F));
  CHECK(decisions({"v1_joint", {most + 1}, {1}}, {512, 14, 14}, x, 1) == std::vector<float>(196, 0.0F));
}

// Spikes [T, C, N] of queries and keys that are drawn apart, and a matrix and thresholds whose sums are
// exact.
struct Drawn {
  int64_t channels, height, width, steps;
  std::vector<uint8_t> q, k;
  std::vector<double> mix, threshold;

  explicit Drawn(Random& random)
      : channels(random.in(1, 70)), height(random.in(1, 6)), width(random.in(1, 6)), steps(random.in(1, 4)) {
    for (auto* spikes : {&q, &k}) {
      spikes->resize(static_cast<size_t>(steps * channels * height * width));
      for (uint8_t& s : *spikes) s = random.chance(0.3) ? 1 : 0;
    }
    for (int64_t t = 0; t < steps; ++t) {
      for (int64_t j = 0; j < steps; ++j) {
        mix.push_back(j > t ? 0.0 : static_cast<double>(random.in(-2, 4)) / 4);
      }
      threshold.push_back(static_cast<double>(random.in(0, channels * channels * height * width / 8)));
    }
  }
  [[nodiscard]] int64_t tokens() const { return height * width; }
  [[nodiscard]] Shape image() const { return {channels, height, width}; }
  [[nodiscard]] Shape frames() const { return {steps, 1, channels, height, width}; }
  [[nodiscard]] int64_t pair(int64_t t, int64_t n, int64_t m) const {  // of the map Q' K'^T
    int64_t queries = 0, keys = 0;
    for (int64_t c = 0; c < channels; ++c) {
      queries += q[static_cast<size_t>((t * channels + c) * tokens() + n)];
      keys += k[static_cast<size_t>((t * channels + c) * tokens() + m)];
    }
    return queries * keys;
  }
};

TEST_CASE("a gate of counts decides as the map of all pairs of patches") {
  Random random(4);
  size_t fired = 0, decided = 0;
  for (int round = 0; round < 20; ++round) {
    const Drawn d(random);
    std::vector<float> expected;
    for (int64_t t = 0; t < d.steps; ++t) {
      for (int64_t n = 0; n < d.tokens(); ++n) {
        double h = 0;
        for (int64_t j = 0; j <= t; ++j) {
          int64_t salience = 0;
          for (int64_t m = 0; m < d.tokens(); ++m) salience += d.pair(j, n, m);
          h += d.mix[static_cast<size_t>(t * d.steps + j)] * static_cast<double>(salience);
        }
        expected.push_back(h >= d.threshold[static_cast<size_t>(t)] ? 1.0F : 0.0F);
      }
    }
    GraphBuilder b;
    for (const char* name : {"x", "other"}) b.input(name, "b1", d.image(), {}, 0, "TNCHW");
    const std::string q = b.count("q", "x", "", "channels"), k = b.count("k", "other", "", "all");
    b.output("y", b.saccade("gate", q, k, {"v1_joint", d.threshold, d.mix}));
    Session session(b.build(d.steps), {});
    session.run(std::vector<TensorView>{{d.q.data(), DType::kBool, d.frames()},
                                        {d.k.data(), DType::kBool, d.frames()}});
    const auto y = session.output(0);
    CHECK(std::ranges::equal(y, expected));
    fired += static_cast<size_t>(std::ranges::count(y, 1.0F));
    decided += y.size();
  }
  CHECK(fired > decided / 20);
  CHECK(fired < decided);
}

TEST_CASE("a static gate decides the same where keys are counted beside it") {
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    const Drawn d(random);
    std::vector<double> threshold = d.threshold;
    for (double& v : threshold) v = std::floor(v / static_cast<double>(d.channels * d.tokens()));
    GraphBuilder b;
    for (const char* name : {"x", "other"}) b.input(name, "b1", d.image(), {}, 0, "TNCHW");
    const std::string q = b.count("q", "x", "", "channels"), k = b.count("k", "other", "", "all");
    b.output("y", b.saccade("gate", q, "", {"v2_joint_static", threshold, d.mix}));
    b.output("keys", b.lif("any", k, {.decay = 0, .threshold = 1}));
    Session session(b.build(d.steps), {});
    session.run(std::vector<TensorView>{{d.q.data(), DType::kBool, d.frames()},
                                        {d.k.data(), DType::kBool, d.frames()}});
    CHECK(std::ranges::equal(session.output(0),
                             decisions({"v2_joint_static", threshold, d.mix}, d.image(), d.q, d.steps)));
    const auto end = d.k.begin() + static_cast<std::ptrdiff_t>(d.channels * d.tokens());
    const auto fires = std::find(d.k.begin(), end, 1);
    CHECK((session.output(1)[0] == 1.0F) == (fires != end));
  }
}

// V of patches that the gate shows, and a projection of them.
TEST_CASE("what is left out changes nothing") {
  Random random(3);
  constexpr int64_t kChannels = 70, kSteps = 3;
  const Shape square{kChannels, kChannels, 1, 1};
  for (const int bits : {1, 4, 8}) {
    const std::string encoding = bits == 1 ? "odd" : "sym";
    const std::vector<double> scale(1, 0.4 / (1 << bits));
    std::vector<std::vector<int8_t>> codes(3, std::vector<int8_t>(kChannels * kChannels));
    const int64_t most = (1 << (bits - 1)) - 1;
    for (auto& layer : codes) {
      for (int8_t& q : layer) q = static_cast<int8_t>(bits == 1 ? random.in(-1, 0) : random.in(-most, most));
    }
    for (const double rarely : {4.0, 12.0, 18.0, 1e9}) {
      const std::vector<double> threshold(kSteps, rarely), mix{1, 0, 0, 0.5, 1, 0, 0.25, 0.5, 1};
      GraphBuilder b;
      b.input("x", "b1", {kChannels, 5, 6}, {}, 0, "TNCHW");
      const auto row = [&](const std::string& name, const std::string& from, size_t i) {
        const WeightSpec weight{.shape = square,
                                .codes = codes[i],
                                .encoding = encoding,
                                .bits = bits,
                                .scale = scale,
                                .values = {}};
        return b.lif(name, b.conv2d(name + ".conv", from, weight, {}), {.threshold = 0.3});
      };
      const std::string q = b.count("queries", row("q", "x", 0), "", "channels"), v = row("v", "x", 1);
      const std::string gate = b.saccade("gate", q, "", {"v2_joint_static", threshold, mix});
      b.output("y", row("projection", b.mask("mask", v, gate), 2));
      Session session(b.build(kSteps), {.batch = 2});
      std::vector<uint8_t> x(kSteps * 2 * kChannels * 30);
      for (size_t i = 0; i < x.size(); ++i) x[i] = i % 30 % 4 != 0 && random.chance(0.3) ? 1 : 0;
      const auto run = [&](bool skips) {
        runtime::set_skips(skips);
        session.run(std::vector<TensorView>{{x.data(), DType::kBool, {kSteps, 2, kChannels, 5, 6}}});
        const auto y = session.output(0);
        return std::vector<float>(y.begin(), y.end());
      };
      const std::vector<float> with = run(true), without = run(false);
      runtime::set_skips(true);
      CHECK(with == without);
      if (rarely == 4.0) CHECK(std::ranges::count(with, 1.0F) > 0);
    }
  }
}

}  // namespace
}  // namespace snncore
