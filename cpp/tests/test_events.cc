// Events into steps: the same as frames through run, and what is late, far apart, off the sensor or wrapped.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "small_network.h"

namespace snncore {
namespace {

constexpr int64_t kWidth = 7, kHeight = 5, kFilters = 4;

Model network(const std::string& dtype, int64_t channels = 2) {
  sample::Numbers r(3);
  GraphBuilder b;
  b.input("events", dtype, {channels, kHeight, kWidth}, {}, 0, "TNCHW");
  const Shape shape{kFilters, channels, 3, 3};
  const auto codes = r.codes(static_cast<size_t>(kFilters * channels * 9), -8, 7);
  const auto scale = r.reals(kFilters, 0.05, 0.1);
  std::vector<float> values(codes.begin(), codes.end());
  for (float& v : values) v *= 0.0625F;
  WeightSpec weight{.shape = shape, .codes = codes, .encoding = "odd", .bits = 4, .scale = scale};
  if (dtype == "f32") weight = {.shape = shape, .values = values};
  b.conv2d("conv", "events", weight, {.padding = {1, 1, 1, 1}});
  b.lif("n", "conv", {});
  b.output("spikes", "n");
  return b.build(4);
}

// Columns that own their values.
struct Stream {
  std::vector<uint16_t> x, y;
  std::vector<uint8_t> p;
  std::vector<int64_t> t;

  void add(uint16_t column, uint16_t row, uint8_t polarity, int64_t time) {
    x.push_back(column);
    y.push_back(row);
    p.push_back(polarity);
    t.push_back(time);
  }
  [[nodiscard]] Events events(size_t first = 0, size_t count = SIZE_MAX) const {
    const size_t n = std::min(count, x.size() - first);
    return {std::span(x).subspan(first, n), std::span(y).subspan(first, n), std::span(p).subspan(first, n),
            std::span(t).subspan(first, n)};
  }
};

Stream random_stream(size_t count, int64_t most_between, uint32_t seed = 9) {
  sample::Numbers r(seed);
  Stream s;
  int64_t time = 12345;
  for (size_t i = 0; i < count; ++i) {
    time += r.next(0, static_cast<int32_t>(most_between));
    s.add(static_cast<uint16_t>(r.next(0, kWidth - 1)), static_cast<uint16_t>(r.next(0, kHeight - 1)),
          static_cast<uint8_t>(r.next(0, 1)), time);
  }
  return s;
}

// The outputs of all steps in a row.
struct Outputs {
  std::vector<float> values;
  EventReport total;
};

void add(EventReport& total, const EventReport& more) {
  total.steps += more.steps;
  total.late += more.late;
  total.skipped += more.skipped;
}

Outputs push(Session& session, const Stream& s, const EventWindow& window, size_t chunk) {
  Outputs out;
  const EventStep keep = [&] {
    const auto spikes = session.output();
    out.values.insert(out.values.end(), spikes.begin(), spikes.end());
  };
  for (size_t i = 0; i < s.x.size(); i += chunk)
    add(out.total, session.push_events(s.events(i, chunk), window, keep));
  add(out.total, session.flush_events(keep));
  return out;
}

// The same through frames that the test makes itself.
std::vector<float> through_frames(const Model& model, const Stream& s, int64_t length, float most) {
  const int64_t channels = model.inputs()[0].shape[0], first = s.t.front() / length;
  const size_t pixels = static_cast<size_t>(kWidth * kHeight * channels);
  std::vector<std::vector<float>> frames(static_cast<size_t>(s.t.back() / length - first + 1),
                                         std::vector<float>(pixels));
  for (size_t i = 0; i < s.x.size(); ++i) {
    const int64_t c = channels == 2 ? s.p[i] : 0;
    float& v = frames[static_cast<size_t>(s.t[i] / length - first)]
                     [static_cast<size_t>((c * kHeight + s.y[i]) * kWidth + s.x[i])];
    v = std::min(v + 1.0F, most);
  }
  Session session(model, {.mode = Mode::kStream});
  std::vector<float> out, spikes(static_cast<size_t>(kFilters * kWidth * kHeight));
  for (const auto& frame : frames) {
    session.run(frame, spikes);
    out.insert(out.end(), spikes.begin(), spikes.end());
  }
  return out;
}

TEST_CASE("events give what frames give, however they are cut up") {
  const Stream s = random_stream(200, 150);
  for (const int64_t channels : {1, 2}) {
    for (const auto& [dtype, most] :
         {std::pair{"b1", 1.0F}, {"count2", 3.0F}, {"count8", 255.0F}, {"f32", 1e6F}}) {
      CAPTURE(dtype);
      const Model model = network(dtype, channels);
      for (const int64_t length : {7, 700, 5000}) {
        const auto expected = through_frames(model, s, length, most);
        for (const size_t chunk : {size_t{1}, size_t{7}, s.x.size()}) {
          Session session(model, {.mode = Mode::kStream});
          const Outputs got = push(session, s, {.microseconds = length}, chunk);
          CHECK(got.values == expected);
          CHECK(got.total.late == 0);
          CHECK(got.total.skipped == 0);
        }
      }
    }
  }
}

TEST_CASE("a step for every so many events") {
  const Stream s = random_stream(103, 300);
  const Model model = network("b1");
  Stream numbered = s;
  for (size_t i = 0; i < s.t.size(); ++i) numbered.t[i] = static_cast<int64_t>(i);
  const auto expected = through_frames(model, numbered, 10, 1.0F);
  for (const size_t chunk : {size_t{1}, size_t{9}, s.x.size()}) {
    Session session(model, {.mode = Mode::kStream});
    const Outputs got = push(session, s, {.count = 10}, chunk);
    CHECK(got.total.steps == 11);
    CHECK(got.values == expected);
  }
  Session session(model, {.mode = Mode::kStream});
  Events timeless = s.events();
  timeless.time = {};
  CHECK(session.push_events(timeless, {.count = 10}).steps == 10);
}

TEST_CASE("order within a window does not matter; what is older than the window is dropped and counted") {
  const Model model = network("b1");
  Stream in_order, mixed, late;
  for (Stream* s : {&in_order, &mixed, &late}) {
    s->add(1, 1, 0, 100);
    s->add(2, 1, 1, s == &in_order ? 200 : 900);
    s->add(3, 1, 1, s == &in_order ? 900 : 200);
    s->add(4, 1, 1, 1100);
  }
  late.add(5, 1, 1, 999);
  late.add(5, 2, 1, -5);
  std::vector<Outputs> got;
  for (const Stream* s : {&in_order, &mixed, &late}) {
    Session session(model, {.mode = Mode::kStream});
    got.push_back(push(session, *s, {.microseconds = 1000}, 100));
  }
  CHECK(got[0].values == got[1].values);
  CHECK(got[0].values == got[2].values);
  CHECK(got[1].total.late == 0);
  CHECK(got[2].total.late == 2);
}

TEST_CASE("a gap takes no more than max_gap steps") {
  const Model model = network("b1");
  Stream s;
  s.add(1, 1, 0, 0);
  s.add(1, 1, 1, 10'000'500);
  for (const int64_t most : {0, 3, 9999, 20000}) {
    Session session(model, {.mode = Mode::kStream});
    const Outputs got = push(session, s, {.microseconds = 1000, .max_gap = most}, 1);
    CHECK(got.total.steps == 2 + std::min<int64_t>(most, 9999));
    CHECK(got.total.skipped == 9999 - std::min<int64_t>(most, 9999));
    CHECK(session.steps() == got.total.steps);
  }
  s.t = {-(int64_t{1} << 61), int64_t{1} << 61};
  Session session(model, {.mode = Mode::kStream});
  CHECK(session.push_events(s.events(), {.microseconds = 1}).steps == 1001);
}

TEST_CASE("a clock that starts again at 0") {
  const Model model = network("b1");
  const Stream s = random_stream(300, 500);
  for (const int bits : {12, 23, 32, 40}) {
    Stream wrapped = s;
    const int64_t period = int64_t{1} << bits;
    for (int64_t& t : wrapped.t) t += period - 40000;  // the last events lie behind the end
    const EventWindow window{.microseconds = 64, .max_gap = 1 << 20};
    Session plain(model, {.mode = Mode::kStream}), counter(model, {.mode = Mode::kStream});
    const Outputs expected = push(plain, wrapped, window, 50);
    for (int64_t& t : wrapped.t) t = (t % period + period) % period;
    EventWindow with_clock = window;
    with_clock.clock_bits = bits;
    CHECK(push(counter, wrapped, with_clock, 50).values == expected.values);
    CHECK_THROWS_AS(
        counter.push_events({wrapped.x, wrapped.y, wrapped.p, std::vector(300, period)}, with_clock), Error);
  }
}

TEST_CASE("late events stay late across the wrap") {
  const Model model = network("b1");
  Stream s;
  s.add(1, 1, 0, (int64_t{1} << 32) - 1500);
  s.add(1, 1, 0, 700);                        // 2200 us later
  s.add(1, 1, 0, (int64_t{1} << 32) - 1400);  // before the wrap: 2100 us ago
  Session session(model, {.mode = Mode::kStream});
  const EventReport r = session.push_events(s.events(), {.microseconds = 1000, .clock_bits = 32});
  CHECK(r.late == 1);
  CHECK(r.steps >= 2);
}

TEST_CASE("time passes without events") {
  const Model model = network("b1");
  Session session(model, {.mode = Mode::kStream});
  CHECK_THROWS_AS(session.advance_events(5), Error);
  Stream s;
  s.add(1, 1, 0, 2500);
  session.push_events(s.events(), {.microseconds = 1000});
  CHECK(session.advance_events(2999).steps == 0);
  CHECK(session.advance_events(3000).steps == 1);
  CHECK(session.advance_events(6100).steps == 3);
  CHECK(session.flush_events().steps == 0);
  CHECK(session.advance_events(10).steps == 0);
  s.t = {5999};
  CHECK(session.push_events(s.events(), {.microseconds = 1000}).late == 1);
  s.t = {6999};
  CHECK(session.push_events(s.events(), {.microseconds = 1000}).late == 0);
  CHECK(session.flush_events().steps == 1);
}

std::string refusal(Session& session, const Events& events, const EventWindow& window = {}) {
  try {
    session.push_events(events, window);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("a bad push is refused with one sentence, and nothing is taken") {
  const Model model = network("b1");
  Session session(model, {.mode = Mode::kStream}), fresh(model, {.mode = Mode::kStream});
  const Stream good = random_stream(50, 100);
  for (const auto& [x, y, p, t, text] :
       {std::tuple{kWidth, int64_t{0}, 0, int64_t{0}, "event 50 at x 7, y 0 is outside"},
        {0, kHeight, 0, 0, "event 50 at x 0, y 5 is outside input 'events' of 7 x 5"},
        {0, 0, 2, 0, "event 50 has polarity 2"},
        {0, 0, 1, INT64_MAX, "event 50 has time"},
        {0, 0, 1, INT64_MIN, "event 50 has time"}}) {
    Stream bad = good;
    bad.add(static_cast<uint16_t>(x), static_cast<uint16_t>(y), static_cast<uint8_t>(p), t);
    const std::string message = refusal(session, bad.events());
    CHECK_MESSAGE(message.find(text) != std::string::npos, message);
  }
  Events uneven = good.events();
  uneven.y = uneven.y.first(3);
  CHECK(refusal(session, uneven).find("one length") != std::string::npos);
  for (const EventWindow w :
       {EventWindow{.microseconds = 0}, EventWindow{.microseconds = -5}, EventWindow{.count = -1},
        EventWindow{.clock_bits = 64}, EventWindow{.clock_bits = 1}, EventWindow{.max_gap = -1}}) {
    CHECK(refusal(session, good.events(), w).find("must be") != std::string::npos);
  }
  CHECK(session.steps() == 0);
  CHECK(push(session, good, {}, 50).values == push(fresh, good, {}, 50).values);
}

TEST_CASE("sessions and models that take no events say so") {
  const Stream s = random_stream(5, 10);
  Session sequence(network("b1"), {});
  CHECK(refusal(sequence, s.events()).find("stream session") != std::string::npos);
  Session two(network("b1"), {.mode = Mode::kStream, .batch = 2});
  CHECK(refusal(two, s.events()).find("one sample") != std::string::npos);
  Session three(network("b1", 3), {.mode = Mode::kStream});
  CHECK(refusal(three, s.events()).find("3 channels") != std::string::npos);
  Session pixels(sample::small_network({}), {.mode = Mode::kStream});
  CHECK(refusal(pixels, s.events()).find("u8") != std::string::npos);
}

TEST_CASE("an open window keeps other calls away until it is flushed or forgotten") {
  const Model model = network("b1");
  const Stream s = random_stream(5, 10);
  std::vector<float> frame(static_cast<size_t>(2 * kWidth * kHeight)), out(static_cast<size_t>(4 * 35));
  Session session(model, {.mode = Mode::kStream});
  const auto state = session.save_state();
  session.push_events(s.events(), {.microseconds = 1'000'000});
  CHECK_THROWS_AS(session.run(frame, out), Error);
  CHECK_THROWS_AS(static_cast<void>(session.save_state()), Error);
  CHECK(refusal(session, s.events(), {.microseconds = 10}).find("flush_events") != std::string::npos);
  SUBCASE("flush") { CHECK(session.flush_events().steps == 1); }
  SUBCASE("reset") { session.reset(); }
  SUBCASE("load") { session.load_state(state); }
  CHECK(session.flush_events().steps == 0);
  session.run(frame, out);
  session.reset();
  Session fresh(model, {.mode = Mode::kStream});
  CHECK(push(session, s, {}, 5).values == push(fresh, s, {}, 5).values);  // the frame left nothing behind
}

TEST_CASE("a vector takes events by element") {
  GraphBuilder b;
  b.input("x", "b1", {130}, {}, 0, "TNC");
  sample::Numbers r(1);
  const auto codes = r.codes(130 * 3, -8, 7);
  const double scale = 0.05;
  b.linear("l", "x", {.shape = {3, 130}, .codes = codes, .encoding = "odd", .bits = 4, .scale = {&scale, 1}});
  b.lif("n", "l", {});
  b.output("y", "n");
  const Model model = b.build(2);
  Stream s;
  for (const int element : {0, 63, 64, 129}) s.add(static_cast<uint16_t>(element), 0, 1, 5);
  std::vector<float> frame(130), expected(3);
  for (const uint16_t element : s.x) frame[element] = 1.0F;
  Session events(model, {.mode = Mode::kStream}), frames(model, {.mode = Mode::kStream});
  frames.run(frame, expected);
  CHECK(push(events, s, {}, 1).values == expected);
  s.y[2] = 1;
  CHECK(refusal(events, s.events()).find("130 x 1") != std::string::npos);
}

TEST_CASE("profile X: the steps of a push are counted before the first is run") {
  GraphBuilder b;
  b.input("x", "b1", {8}, {}, 0, "TNC");
  sample::Numbers r(1);
  const auto codes = r.codes(8 * 3, -8, 7);
  const double scale = 0.05;
  b.linear("l", "x", {.shape = {3, 8}, .codes = codes, .encoding = "odd", .bits = 4, .scale = {&scale, 1}});
  b.lif("n", "l", {.profile = "X", .leak = "half_floor"});
  b.output("y", "n");
  Session session(b.build(4), {.mode = Mode::kStream});
  Stream s;
  for (int64_t i = 0; i < 6; ++i) s.add(1, 0, 1, i * 1000);
  CHECK(refusal(session, s.events()).find("profile X") != std::string::npos);
  CHECK(session.steps() == 0);
  CHECK(session.push_events(s.events(0, 5)).steps == 4);
  CHECK_THROWS_AS(session.flush_events(), Error);
}

}  // namespace
}  // namespace snncore
