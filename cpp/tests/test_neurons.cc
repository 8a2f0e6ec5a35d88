// Neurons on arrays: every layout, size and number of threads against a model of a few lines; and what is
// refused.
#include <algorithm>
#include <string>
#include <vector>

#include <snncore/error.h>
#include <snncore/neurons.h>

#include "kernels/common.h"

namespace snncore::test {
namespace {

// [T, N, C, places] currents, and what a neuron with leak half_floor and reset to zero makes of them.
struct Layer {
  size_t steps, samples, channels, places;
  std::vector<int32_t> theta;
  std::vector<int16_t> x;
  std::vector<bool> fired;
  std::vector<int32_t> kept;

  Layer(Random& random, size_t t, size_t n, size_t c, size_t p)
      : steps(t),
        samples(n),
        channels(c),
        places(p),
        theta(c),
        x(t * n * c * p),
        fired(x.size()),
        kept(x.size()) {
    for (int32_t& v : theta) v = static_cast<int32_t>(random.in(-50, 900));
    for (int16_t& v : x) v = static_cast<int16_t>(random.in(-1000, 1000));
    const size_t step = n * c * p;
    for (size_t i = 0; i < step; ++i) {
      int32_t v = 0;
      for (size_t at = i; at < x.size(); at += step) {
        v = (v >> 1) + x[at];
        fired[at] = v >= theta[i / p % c];
        if (fired[at]) v = 0;
        kept[at] = v;
      }
    }
  }

  // Where [T, N, places, C] has element `at` of [T, N, C, places].
  [[nodiscard]] size_t turned(size_t at) const {
    const size_t sample = at / (channels * places), channel = at / places % channels, place = at % places;
    return (sample * places + place) * channels + channel;
  }

  template <typename T>
  [[nodiscard]] std::vector<T> in_order(const std::vector<T>& values, bool channels_last) const {
    if (!channels_last) return values;
    std::vector<T> to(values.size());
    for (size_t at = 0; at < values.size(); ++at) to[turned(at)] = values[at];
    return to;
  }

  [[nodiscard]] Shape shape(bool channels_last) const {
    Shape s{static_cast<int64_t>(steps), static_cast<int64_t>(samples), static_cast<int64_t>(channels),
            static_cast<int64_t>(places)};
    if (channels_last) std::swap(s[2], s[3]);
    return s;
  }

  [[nodiscard]] bool right(const BitTensor& bits) const {
    if (bits.shape() != shape(true) || bits.row_words() != words_for(channels)) return false;
    uint64_t count = 0;
    for (size_t at = 0; at < x.size(); ++at) {
      const size_t to = turned(at), row = to / channels;
      if (get_bit(bits.words() + row * bits.row_words(), to % channels) != fired[at]) return false;
      count += fired[at] ? 1 : 0;
    }
    return bits.popcount() == count;  // tail bits are zero
  }
};

IntNeuronSpec spec_of(const Layer& layer) {
  IntNeuronSpec spec;
  spec.leak = "half_floor";
  spec.leak_param = 0;
  spec.theta = layer.theta;
  return spec;
}

template <typename T>
void check_layer(const Layer& layer, bool channels_last, const std::string& state, size_t threads) {
  // Guarded: not an element behind the currents may be read under the sanitizers, nor written.
  const std::vector<int16_t> x = layer.in_order(layer.x, channels_last);
  const std::vector<T> currents(x.begin(), x.end());
  Guarded<int32_t> membranes(x.size());
  IntNeuronSpec spec = spec_of(layer);
  spec.state = state;
  const Currents in{currents.data(), layer.shape(channels_last), channels_last};
  CAPTURE(layer.channels);
  CAPTURE(layer.places);
  CAPTURE(channels_last);
  CHECK(layer.right(lif_int(in, spec, threads, membranes.data())));
  const std::vector<int32_t> kept = layer.in_order(layer.kept, channels_last);
  CHECK((std::equal(kept.begin(), kept.end(), membranes.data()) && membranes.intact()));
  CHECK(layer.right(lif_int(in, spec, threads)));
}

TEST_CASE("neurons on arrays in every layout") {
  Random random(31);
  for (const auto& [channels, places] : {std::pair<size_t, size_t>{1, 1},
                                         {1, 40},
                                         {7, 1},
                                         {7, 9},
                                         {31, 33},
                                         {32, 64},
                                         {33, 65},
                                         {64, 1},
                                         {64, 196},
                                         {65, 5},
                                         {128, 16},
                                         {130, 600},
                                         {3, 1100},
                                         {520, 49}}) {
    const Layer layer(random, random.size(1, 5), random.size(1, 3), channels, places);
    for (const bool last : {false, true}) {
      check_layer<int16_t>(layer, last, "i16", 1);
      check_layer<int32_t>(layer, last, "i16", 1);
      check_layer<int32_t>(layer, last, "i32", 1);
      check_layer<int16_t>(layer, last, "i32", 1);
    }
  }
}

TEST_CASE("neurons on arrays from several threads, and of many steps") {
  Random random(32);
  check_layer<int16_t>(Layer(random, 4, 700, 90, 20), true, "i16", 3);
  check_layer<int16_t>(Layer(random, 4, 7, 90, 2000), false, "i16", 3);
  check_layer<int16_t>(Layer(random, 300, 1, 200, 70), false, "i16", 2);
}

TEST_CASE("one constant serves all channels, and [T, N, C] has no places") {
  Random random(33);
  Layer layer(random, 3, 4, 70, 1);
  std::fill(layer.theta.begin(), layer.theta.end(), 100);
  IntNeuronSpec spec = spec_of(layer);
  const Shape shape{3, 4, 70};
  const BitTensor all = lif_int({layer.x.data(), shape}, spec, 1);
  spec.theta = spec.theta.first(1);
  const BitTensor one = lif_int({layer.x.data(), shape}, spec, 1);
  CHECK(one.shape() == shape);
  CHECK(std::equal(one.words(), one.words() + one.rows() * one.row_words(), all.words()));
}

TEST_CASE("float neurons on arrays in every layout") {
  Random random(34);
  for (const auto& [channels, places] :
       {std::pair<size_t, size_t>{1, 1}, {7, 9}, {33, 65}, {64, 196}, {130, 600}, {65, 1}}) {
    Layer layer(random, 4, 2, channels, places);
    for (int16_t& v : layer.x) v = static_cast<int16_t>(v * 8);  // halved three times and still whole
    std::fill(layer.theta.begin(), layer.theta.end(), 800);
    const size_t step = layer.x.size() / layer.steps;
    for (size_t i = 0; i < step; ++i) {
      float v = 0;
      for (size_t at = i; at < layer.x.size(); at += step) {
        v = 0.5F * v + layer.x[at];
        layer.fired[at] = v >= 800;
        if (layer.fired[at]) v = 0;
      }
    }
    NeuronSpec spec;
    spec.threshold = 800;
    for (const bool last : {false, true}) {
      const std::vector<int16_t> x = layer.in_order(layer.x, last);
      const std::vector<float> currents(x.begin(), x.end());
      for (const size_t threads : {1, 2}) {
        CHECK(layer.right(lif({currents.data(), layer.shape(last), last}, spec, threads)));
      }
    }
  }
}

std::string refusal(const Currents& x, const IntNeuronSpec& spec, size_t threads = 1) {
  try {
    lif_int(x, spec, threads);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("neurons on arrays refuse what does not fit, and say so") {
  const std::vector<int16_t> x(24, INT16_MIN);
  const std::vector<float> real(24);
  const Currents in{x.data(), {2, 3, 4}};
  const int32_t four[] = {1, 2, 3, 40000}, one[] = {5}, minus[] = {-1};
  IntNeuronSpec spec;
  spec.theta = one;
  CHECK(refusal(in, spec).empty());
  CHECK(refusal({x.data(), {6, 4}}, spec) == "lif_int: expected [T, N, C, ...], received [6, 4]");
  CHECK(refusal({x.data(), {2, 0, 4}}, spec) ==
        "lif_int: expected at least one step, sample and neuron, received [2, 0, 4]");
  CHECK(refusal({real.data(), {2, 3, 4}}, spec) ==
        "lif_int: expected int8, int16 or int32 currents, received float32");
  CHECK(refusal({x.data(), {1 << 30, 1 << 30, 1 << 30}}, spec).find("overflows") != std::string::npos);
  CHECK(refusal(in, spec, 0) == "lif_int: expected 1 to 256 threads, received 0");
  CHECK(refusal(in, spec, 257) == "lif_int: expected 1 to 256 threads, received 257");
  const auto with = [&](auto change) {
    IntNeuronSpec changed = spec;
    change(changed);
    return refusal(in, changed);
  };
  CHECK(with([&](auto& s) { s.theta = four; }) == "lif_int: theta: expected -32767..32767, received 40000");
  CHECK(with([&](auto& s) { s.theta = std::span(four).first(2); }) ==
        "lif_int: theta: expected one number or 4, received 2");
  CHECK(with([&](auto& s) { s.theta = {}; }) == "lif_int: theta: expected one number or 4, received 0");
  CHECK(with([&](auto& s) { s.reset = "subtract"; }) ==
        "lif_int: reset 'subtract' needs psi, one number or [C]");
  CHECK(with([&](auto& s) { s.reset = "subtract", s.psi = minus; }) ==
        "lif_int: psi: expected 0..32767, received -1");
  CHECK(with([&](auto& s) { s.psi = one; }) == "lif_int: expected no psi with reset 'zero'");
  CHECK(with([&](auto& s) { s.reset = "hard"; }) ==
        "lif_int: expected reset 'zero' or 'subtract', received 'hard'");
  CHECK(with([&](auto& s) { s.state = "i4"; }) ==
        "lif_int: expected state 'i8', 'i16' or 'i32', received 'i4'");
  CHECK(with([&](auto& s) { s.leak_param = 32768; }) ==
        "lif_int: expected a leak_param of 0..32767 for leak 'q15', received 32768");
  CHECK(with([&](auto& s) { s.leak = "x"; }).find("received 'x'") != std::string::npos);
  CHECK(with([&](auto& s) { s.profile = "X"; }) == "lif_int: expected profile 'U' or 'W', received 'X'");
  CHECK(with([&](auto& s) { s.profile = "U"; }).find("received -32768 to 0") != std::string::npos);
  CHECK(with([&](auto& s) { s.profile = "U", s.state = "i32"; }).empty());
}

}  // namespace
}  // namespace snncore::test
