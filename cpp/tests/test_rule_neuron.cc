// The parametrised neuron through the C++ interface: all steps at once, step by step, with threads; and what
// a spec may not say.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <snncore/builder.h>
#include <snncore/error.h>
#include <snncore/session.h>

namespace snncore {
namespace {

constexpr int64_t kSteps = 8, kChannels = 37, kPlaces = 6;
constexpr size_t kStepSize = static_cast<size_t>(2 * kChannels * kPlaces);

// Counts, a synaptic current, a refractory time, and a rate of its own for every neuron.
Model counting(const std::vector<float>& rates) {
  const std::vector<float> half(1, 0.5F), quarter(kChannels, 0.25F);
  RuleNeuronSpec spec{.synapse = "jump", .fire = "count", .reset = "subtract", .refractory = "hold"};
  spec.most = 3;
  spec.refractory_steps = 1;
  spec.values = {{"rate", {{kChannels, 2, 3}, rates}},
                 {"threshold", {{1}, half}},
                 {"synapse_rate", {{kChannels}, quarter}},
                 {"initial", {{kChannels}, quarter}}};
  GraphBuilder b;
  b.output("y", b.neuron("n", b.input("x", "f32", {kChannels, 2, 3}, {}, 0, "TNCHW"), spec));
  return b.build(kSteps);
}

std::vector<float> eighths(size_t count, int lo, int hi) {
  std::vector<float> out(count);
  uint32_t seed = 3;
  for (float& v : out) {
    seed = seed * 1664525 + 1013904223;
    v = static_cast<float>(lo + static_cast<int>((seed >> 16) % static_cast<uint32_t>(hi - lo + 1))) / 8;
  }
  return out;
}

std::vector<float> copy(std::span<const float> v) { return {v.begin(), v.end()}; }

TEST_CASE("a sequence is what its steps are one by one, from a saved state, too") {
  const Model model = counting(eighths(kChannels * kPlaces, 2, 8));
  const auto x = eighths(kSteps * kStepSize, -4, 12);
  std::vector<float> whole;
  for (const int threads : {1, 2, 3}) {
    Session session(model, {.batch = 2, .threads = threads});
    session.run({{TensorView{x.data(), DType::kF32, {kSteps, 2, kChannels, 2, 3}}}});
    if (whole.empty()) whole = copy(session.output(0));
    CHECK(copy(session.output(0)) == whole);
  }
  CHECK(*std::max_element(whole.begin(), whole.end()) == 3);

  const Options stream{.mode = Mode::kStream, .batch = 2, .layout = "NCHW"};
  Session first(model, stream), second(model, stream);
  for (int round = 0; round < 2; ++round) {
    for (size_t t = 0; t < kSteps; ++t) {
      if (t == 3) second.load_state(first.save_state());
      Session& session = t < 3 ? first : second;
      session.run({{TensorView{x.data() + t * kStepSize, DType::kF32, {2, kChannels, 2, 3}}}});
      const auto at = whole.begin() + static_cast<std::ptrdiff_t>(t * kStepSize);
      CHECK(std::equal(at, at + static_cast<std::ptrdiff_t>(kStepSize), session.output(0).begin()));
    }
    first.reset();  // back to `initial`
  }
}

TEST_CASE("a readout of membranes by hand") {
  const std::vector<float> tenth(1, 0.5F), leak(1, 1.0F);
  RuleNeuronSpec spec{.charge = "euler_leak_first", .fire = "none", .reset = "none"};
  spec.values = {{"rate", {{}, tenth}}, {"leak", {{}, leak}}};
  GraphBuilder b;
  b.output("y", b.neuron("n", b.input("x", "f32", {1}, {}, 0, "TNC"), spec));
  Session session(b.build(3), {});
  const std::vector<float> x{2, 0, -1};
  std::vector<float> y(3);
  session.run(x, y);
  CHECK(y == std::vector<float>{1.5F, 1.25F, 0.625F});  // v + ((1 - v) + x) / 2
}

void refused(const RuleNeuronSpec& spec, const std::string& expected) {
  GraphBuilder b;
  b.input("x", "f32", {4, 2, 2});
  CAPTURE(expected);
  try {
    b.neuron("n", "x", spec);
    FAIL("accepted");
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK_MESSAGE(message.find("neuron 'n': ") != std::string::npos, message);
    CHECK_MESSAGE(message.find(expected) != std::string::npos, message);
  }
}

TEST_CASE("what a spec may not say") {
  const std::vector<float> three(3, 1.0F), one(1, 1.0F), zero(1, 0.0F);
  const auto with = [&](RuleNeuronSpec spec, const std::string& role, const NeuronValue& value) {
    spec.values = {{"rate", {{1}, one}}, {"threshold", {{1}, one}}};
    spec.values[role] = value;
    return spec;
  };
  refused(with({}, "rate", {{3}, three}), "rate must be one number, [4] or [4, 2, 2], received [3]");
  refused(with({}, "rate", {{4}, three}), "rate must be one number");
  refused(with({}, "rate", {{}, {}}), "rate must be one number");
  refused(with({}, "tau", {{1}, one}), "there is no parameter 'tau'");
  refused(with({.charge = "euler"}, "bias", {{1}, zero}), "attribute 'charge' must be one of decay,");
  refused(with({.charge = "leak_divide"}, "rate", {{1}, zero}), "must not be 0");
  refused(with({.fire = "round"}, "threshold", {{1}, zero}), "needs a threshold above 0");
  refused({}, "tensor 'rate' is missing");
}

}  // namespace
}  // namespace snncore
