// Session::run allocates nothing: operator new and malloc are counted while it runs.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "small_network.h"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace

// The sanitizers bring a malloc of their own; there only operator new is counted.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
extern "C" {
void* __libc_malloc(size_t size);
void* malloc(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
}
#endif

// The nothrow form too: std::stable_sort takes its buffer from it and gives it back to operator delete.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace snncore {
namespace {

TEST_CASE("the counter counts") {
  const size_t before = allocations;
  std::vector<int> v(100);
  CHECK(v.size() == 100);
  CHECK(allocations > before);
}

TEST_CASE("no allocation in run") {
  const auto image = sample::small_image(2);
  std::vector<float> out(10);
  for (const char* state : {"i2", "i4", "i8", "i16", "i32"}) {
    const Model model = sample::small_network({.neuron = {.state = state}});
    for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
      for (const int threads : {1, 2}) {
        Session session(model, {.mode = mode, .batch = 2, .threads = threads, .record = {"n1", "n2.v"}});
        session.run(image, out);
        const size_t before = allocations;
        session.run(image, out);
        session.reset();
        session.run(image, out);
        CHECK(allocations == before);
      }
    }
  }
}

TEST_CASE("no allocation in the run of a neuron of named expressions") {
  const std::vector<float> half(1, 0.5F), x(4 * 16, 1.0F);
  RuleNeuronSpec spec{.synapse = "relax", .fire = "round", .refractory = "input"};
  spec.most = 5;
  spec.refractory_steps = 2;
  spec.values = {{"rate", {{}, half}}, {"threshold", {{}, half}}, {"synapse_rate", {{}, half}}};
  GraphBuilder b;
  b.output("y", b.neuron("n", b.input("x", "f32", {16}, {}, 0, "TNC"), spec));
  const Model model = b.build(4);
  std::vector<float> out(4 * 16);
  Session session(model, {.record = {"n.v", "n.i"}});
  session.run(x, out);
  const size_t before = allocations;
  session.run(x, out);
  CHECK(allocations == before);
}

TEST_CASE("no allocation in the run of maps and factors of steps") {
  GraphBuilder b;
  const std::string x = b.input("x", "b1", {96, 5, 3}, {}, 0, "TNCHW");
  std::string y = x;
  for (const std::string variant : {"qk", "kv"}) {
    const std::string map = b.lif(variant + ".map", b.map_scores(variant + ".s", y, x, variant, 2), {});
    const std::string sum = b.map_product(variant + ".p", map, x, variant, 2);
    y = b.lif(variant + ".lif", b.step_gain(variant + ".g", sum, std::vector<double>(4 * 96, 0.5)), {});
  }
  b.output("y", y);
  const Model model = b.build(4);
  for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
    const size_t steps = mode == Mode::kSequence ? 4 : 1;
    const std::vector<float> spikes(steps * 2 * 96 * 15, 1.0F);
    std::vector<float> out(spikes.size());
    Session session(model, {.mode = mode, .batch = 2, .threads = 2, .record = {"kv.s.sum"}});
    const auto run = [&] { session.run(spikes, out); };
    run();
    const size_t before = allocations;
    for (int i = 0; i < 3; ++i) run();
    CHECK(allocations == before);
  }
}

TEST_CASE("no allocation in the run of attention, counts and masks") {
  GraphBuilder b;
  const std::string x = b.input("x", "b1", {96, 5, 3}, {}, 0, "TNCHW");
  const std::string a = b.lif("a.lif", b.attention("a", x, x, x, 8), {});
  const std::string passes = b.lif("tokens.lif", b.count("tokens", a, x, "tokens"), {});
  const std::string masked = b.mask("mask", a, passes);
  b.output("heads", b.lif("heads.lif", b.count("heads", masked, "", "channels", 8), {}));
  b.count("all", masked, x, "all", 8);
  const Model model = b.build(4);
  for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
    const size_t steps = mode == Mode::kSequence ? 4 : 1;
    const std::vector<float> spikes(steps * 2 * 96 * 15, 1.0F);
    std::vector<float> out(steps * 2 * 8 * 15);
    Session session(model, {.mode = mode, .batch = 2, .threads = 2, .record = {"a.sum", "all.sum"}});
    const auto run = [&] { session.run(spikes, out); };
    run();
    const size_t before = allocations;
    run();
    CHECK(allocations == before);
  }
}

TEST_CASE("no allocation in a push of events after the first") {
  GraphBuilder b;
  const std::vector<float> ones(4 * 2 * 9, 0.25F);
  b.input("x", "b1", {2, 8, 8}, {}, 0, "TNCHW");
  b.lif("n", b.conv2d("c", "x", {.shape = {4, 2, 3, 3}, .values = ones}, {.padding = {1, 1, 1, 1}}), {});
  b.output("y", "n");
  Session session(b.build(4), {.mode = Mode::kStream});
  std::vector<uint16_t> x, y;
  std::vector<uint8_t> p;
  std::vector<int64_t> t;
  for (int64_t i = 0; i < 500; ++i) {
    x.push_back(static_cast<uint16_t>(i % 8));
    y.push_back(static_cast<uint16_t>(i / 8 % 8));
    p.push_back(static_cast<uint8_t>(i % 2));
    t.push_back(i * 7);
  }
  const Events events{x, y, p, t}, first{{x.data(), 1}, {y.data(), 1}, {p.data(), 1}, {t.data(), 1}};
  float total = 0;
  const EventStep step = [&] { total += session.output()[0]; };
  session.push_events(first, {.microseconds = 100}, step);
  session.reset();
  const size_t before = allocations;
  session.push_events(events, {.microseconds = 100}, step);
  session.advance_events(10000, step);
  session.push_events(first, {.microseconds = 100}, step);
  session.flush_events(step);
  session.reset();
  session.push_events(events, {.count = 10}, step);
  CHECK(allocations == before);
}

TEST_CASE("no allocation in the run of a network with a loop") {
  GraphBuilder b;
  const std::vector<float> ones(16 * 16, 0.25F);
  b.input("x", "f32", {16}, {}, 0, "TNC");
  b.delay("back", "n", 3, {16});
  b.lif("n",
        b.add("sum", {b.linear("in", "x", {.shape = {16, 16}, .values = ones}),
                      b.linear("loop", "back", {.shape = {16, 16}, .values = ones})}),
        {});
  b.output("y", "n");
  const Model model = b.build(4);
  std::vector<float> x(4 * 16, 1.0F), out(4 * 16);
  for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
    const size_t steps = mode == Mode::kSequence ? 4 : 1;
    Session session(model, {.mode = mode, .record = {"n"}});
    const auto run = [&] { session.run(std::span(x).first(steps * 16), std::span(out).first(steps * 16)); };
    run();
    const size_t before = allocations;
    run();
    session.reset();
    run();
    CHECK(allocations == before);
  }
}

TEST_CASE("no allocation in the run of a network with a stream and a gate") {
  const std::vector<int8_t> ones(6 * 2, 1);
  const std::vector<double> scale(1, 0.5), threshold(4, 1.0), mix(16, 0.0);
  const WeightSpec weight{
      .shape = {6, 2, 1, 1}, .codes = ones, .encoding = "sym", .bits = 8, .scale = scale, .values = {}};
  GraphBuilder b;
  b.input("x", "b1", {2, 2, 2}, {}, 0, "TNCHW");
  b.residual("r1", b.conv2d("c2", "x", weight, {}), b.residual("r0", b.conv2d("c1", "x", weight, {})));
  b.saccade("gate", b.conv2d("q", "x", weight, {}), "",
            {.mode = "v2_joint_static", .threshold = threshold, .mix = mix});
  b.output("y", b.add("sum", {b.lif("n", "r1", {}), "gate"}));
  const Model model = b.build(4);
  std::vector<float> x(4 * 8, 1.0F), out(4 * 24);
  for (const Mode mode : {Mode::kSequence, Mode::kStream}) {
    const size_t steps = mode == Mode::kSequence ? 4 : 1;
    Session session(model, {.mode = mode, .record = {"n.v"}});
    const auto run = [&] { session.run(std::span(x).first(steps * 8), std::span(out).first(steps * 24)); };
    run();
    const size_t before = allocations;
    run();
    session.reset();
    run();
    CHECK(allocations == before);
  }
}

}  // namespace
}  // namespace snncore
