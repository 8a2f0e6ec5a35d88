// The C interface gives what the C++ interface gives, and codes with a sentence for everything that is wrong.
#include <doctest/doctest.h>

#include <snncore/c.h>

#include <string>
#include <vector>

#include "small_network.h"

extern "C" int run_in_c(const void* model_bytes, size_t size, const uint8_t* pixels, size_t count, float* out,
                        size_t outputs);

namespace snncore {
namespace {

// Spikes of events -> conv -> neuron -> pool -> linear, read out over the steps.
Model event_network() {
  sample::Numbers r(5);
  GraphBuilder b;
  b.input("events", "b1", {2, 6, 8}, {}, 0, "TNCHW");
  const auto codes = r.codes(4 * 2 * 9, -8, 7), head = r.codes(3 * 4 * 48, -8, 7);
  const auto scale = r.reals(4, 0.05, 0.1), one = r.reals(1, 0.05, 0.1);
  b.conv2d("conv", "events",
           {.shape = {4, 2, 3, 3}, .codes = codes, .encoding = "odd", .bits = 4, .scale = scale},
           {.padding = {1, 1, 1, 1}});
  b.lif("lif", "conv", {});
  b.flatten("flat", "lif");
  b.linear("head", "flat", {.shape = {3, 192}, .codes = head, .encoding = "odd", .bits = 4, .scale = one});
  b.output("y", b.readout("mean", "head", "mean"));
  return b.build(4);
}

struct Loaded {
  explicit Loaded(const Model& from, int mode = SNN_STREAM) : bytes(from.to_bytes()) {
    REQUIRE(snn_model_from_bytes(bytes.data(), bytes.size(), &model) == SNN_OK);
    REQUIRE(snn_session_new(model, mode, 0, 1, 1, &session) == SNN_OK);
  }
  ~Loaded() {
    snn_session_free(session);
    snn_model_free(model);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  [[nodiscard]] std::vector<float> output() const {
    const float* values = nullptr;
    size_t count = 0;
    REQUIRE(snn_session_output(session, 0, &values, &count) == SNN_OK);
    return {values, values + count};
  }

  std::string bytes;
  snn_model* model = nullptr;
  snn_session* session = nullptr;
};

struct Columns {
  std::vector<uint16_t> x, y;
  std::vector<uint8_t> polarity;
  std::vector<int64_t> time;

  explicit Columns(size_t count) {
    sample::Numbers r(11);
    for (size_t i = 0; i < count; ++i) {
      x.push_back(static_cast<uint16_t>(r.next(0, 7)));
      y.push_back(static_cast<uint16_t>(r.next(0, 5)));
      polarity.push_back(static_cast<uint8_t>(r.next(0, 1)));
      time.push_back(static_cast<int64_t>(i) * 137);
    }
  }
  [[nodiscard]] snn_events c() const { return {x.data(), y.data(), polarity.data(), time.data(), x.size()}; }
  [[nodiscard]] Events cpp() const { return {x, y, polarity, time}; }
};

TEST_CASE("a C program gets the outputs of a run") {
  const Model model = sample::small_network({});
  const auto image = sample::small_image(1);
  std::vector<float> expected(5), got(5);
  Session(model, {}).run(image, expected);
  const auto bytes = model.to_bytes();
  CHECK(run_in_c(bytes.data(), bytes.size(), image.data(), image.size(), got.data(), got.size()) == SNN_OK);
  CHECK(got == expected);
  CHECK(run_in_c(bytes.data(), bytes.size(), image.data(), image.size() - 1, got.data(), got.size()) ==
        SNN_SHAPE);
  CHECK(std::string(snn_last_error()).find("expected 189 elements") != std::string::npos);
  CHECK(run_in_c(bytes.data(), bytes.size() / 2, image.data(), image.size(), got.data(), got.size()) ==
        SNN_FORMAT);
}

TEST_CASE("events, window by window, as in C++") {
  const Model model = event_network();
  const Columns columns(300);
  const EventWindow window{.microseconds = 2000};
  std::vector<std::vector<float>> expected, got;
  Session session(model, {.mode = Mode::kStream});
  const auto note = [&] { expected.emplace_back(session.output().begin(), session.output().end()); };
  const EventReport pushed = session.push_events(columns.cpp(), window, note);
  session.flush_events(note);
  session.advance_events(60000, note);

  Loaded c(model);
  struct User {
    const Loaded& loaded;
    std::vector<std::vector<float>>& got;
  } user{c, got};
  const snn_on_step on_step = [](snn_session*, void* u) {
    static_cast<User*>(u)->got.push_back(static_cast<User*>(u)->loaded.output());
  };
  const snn_events events = columns.c();
  snn_event_window as = SNN_EVENT_WINDOW_DEFAULT;
  as.microseconds = 2000;
  snn_event_report report{};
  REQUIRE(snn_session_push_events(c.session, &events, &as, on_step, &user, &report) == SNN_OK);
  CHECK(report.steps == pushed.steps);
  CHECK(report.late == pushed.late);
  REQUIRE(snn_session_flush_events(c.session, on_step, &user, nullptr) == SNN_OK);
  REQUIRE(snn_session_advance_events(c.session, 60000, on_step, &user, &report) == SNN_OK);
  CHECK(got.size() > 20);
  CHECK(got == expected);
}

TEST_CASE("spikes are no pixels") {
  Loaded pixels(sample::small_network({}), SNN_SEQUENCE), spikes(event_network(), SNN_SEQUENCE);
  const std::vector<uint8_t> ones(sample::small_image().size(), 1), events(4 * 96, 1);
  std::vector<float> out(pixels.output().size()), bools(3), bytes(3);
  CHECK(snn_session_run(pixels.session, SNN_U8, ones.data(), ones.size(), out.data(), out.size()) == SNN_OK);
  CHECK(snn_session_run(pixels.session, SNN_BOOL, ones.data(), ones.size(), out.data(), out.size()) ==
        SNN_SHAPE);
  CHECK(snn_session_run(spikes.session, SNN_BOOL, events.data(), events.size(), bools.data(), 3) == SNN_OK);
  CHECK(snn_session_run(spikes.session, SNN_U8, events.data(), events.size(), bytes.data(), 3) == SNN_OK);
  CHECK(bools == bytes);
}

TEST_CASE("a state goes on in another session") {
  const Model model = event_network();
  const Columns columns(100);
  const snn_events events = columns.c();
  snn_event_window by_count = SNN_EVENT_WINDOW_DEFAULT;
  by_count.count = 10;
  Loaded first(model), second(model);
  REQUIRE(snn_session_push_events(first.session, &events, &by_count, nullptr, nullptr, nullptr) == SNN_OK);
  size_t size = 0;
  REQUIRE(snn_session_save_state(first.session, nullptr, 0, &size) == SNN_OK);
  std::vector<std::byte> state(size);
  CHECK(snn_session_save_state(first.session, state.data(), size - 1, &size) == SNN_SHAPE);
  REQUIRE(snn_session_save_state(first.session, state.data(), state.size(), &size) == SNN_OK);
  REQUIRE(snn_session_load_state(second.session, state.data(), state.size()) == SNN_OK);
  for (const Loaded* each : {&first, &second}) {
    REQUIRE(snn_session_push_events(each->session, &events, &by_count, nullptr, nullptr, nullptr) == SNN_OK);
  }
  CHECK(first.output() == second.output());
  CHECK(snn_session_load_state(second.session, state.data(), state.size() - 1) == SNN_FORMAT);
}

TEST_CASE("what is wrong is a code and a sentence") {
  Loaded c(event_network());
  const Columns columns(3);
  snn_events events = columns.c();
  const snn_event_window window = SNN_EVENT_WINDOW_DEFAULT;
  CHECK(snn_session_push_events(c.session, nullptr, &window, nullptr, nullptr, nullptr) ==
        SNN_INVALID_ARGUMENT);
  events.x = nullptr;
  CHECK(snn_session_push_events(c.session, &events, &window, nullptr, nullptr, nullptr) ==
        SNN_INVALID_ARGUMENT);
  events = columns.c();
  events.time = nullptr;  // windows go by time
  CHECK(snn_session_push_events(c.session, &events, &window, nullptr, nullptr, nullptr) == SNN_SHAPE);
  CHECK(std::string(snn_last_error()).find("time") != std::string::npos);
  const float* values = nullptr;
  size_t count = 0;
  CHECK(snn_session_output(c.session, 1, &values, &count) == SNN_INVALID_ARGUMENT);
  CHECK(snn_session_advance_events(c.session, 5, nullptr, nullptr, nullptr) == SNN_STATE);
}

}  // namespace
}  // namespace snncore
