// Session::layer_times: which layers there are, what they count, and that nothing else changes.
#include <doctest/doctest.h>

#include <algorithm>

#include "small_network.h"

namespace snncore {
namespace {

const LayerTime& of(const std::vector<LayerTime>& times, const std::string& name) {
  const auto found = std::ranges::find(times, name, &LayerTime::name);
  REQUIRE(found != times.end());
  return *found;
}

TEST_CASE("times are there once asked for, and add up over runs") {
  const Model model = sample::small_network({});
  const auto image = sample::small_image();
  Session session(model, {.timesteps = 4});
  std::vector<float> expected(session.output().size()), out(expected.size());
  session.run(image, expected);
  CHECK(session.layer_times().empty());
  session.time_layers(true);
  session.run(image, out);
  CHECK(out == expected);
  const std::vector<LayerTime> once = session.layer_times();
  session.run(image, out);
  const std::vector<LayerTime> twice = session.layer_times();
  REQUIRE(once.size() == twice.size());
  for (size_t i = 0; i < once.size(); ++i) {
    CHECK(once[i].name == twice[i].name);
    CHECK(once[i].seconds <= twice[i].seconds);
    CHECK(once[i].operations == twice[i].operations);
  }
  session.time_layers(false);
  session.run(image, out);
  CHECK(session.layer_times().empty());
}

TEST_CASE("operations are those of one run") {
  const Model model = sample::small_network({});
  const auto image = sample::small_image();
  const auto counted = [&](const Options& options) {
    Session session(model, options);
    session.time_layers(true);
    return session.layer_times();
  };
  const auto four = counted({.timesteps = 4}), eight = counted({.timesteps = 8, .batch = 3});
  CHECK(of(four, "n1").operations > 0);
  CHECK(of(eight, "n1").operations == 3 * of(four, "n1").operations);  // pixels: the same in all steps
  CHECK(of(eight, "n2").operations == 6 * of(four, "n2").operations);
  const auto step = counted({.mode = Mode::kStream});
  CHECK(4 * of(step, "n2").operations == of(four, "n2").operations);
  CHECK_FALSE(of(four, "n2").sums.empty());
}

}  // namespace
}  // namespace snncore
