#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/arena.h"
#include "small_network.h"

namespace snncore {
namespace {

using sample::small_image;
using sample::small_network;

std::vector<float> logits(Session& session, const std::vector<uint8_t>& image) {
  std::vector<float> out(session.output().size());
  session.run(image, out);
  return out;
}

std::vector<NeuronSpec> neurons() {
  std::vector<NeuronSpec> all;
  for (const char* state : {"i2", "i4", "i8", "i16", "i32"}) {
    for (const char* reset : {"zero", "subtract"}) {
      for (const char* leak : {"q15", "half_floor", "shift", "tz12"}) {
        for (const bool at_store : {false, true}) {
          all.push_back({.reset = reset, .state = state, .leak = leak, .leak_at_store = at_store});
        }
      }
      all.push_back({.decay = 1.0, .reset = reset, .strict = true, .state = state});
      all.push_back({.reset = reset, .profile = "U", .state = state});
    }
  }
  return all;
}

bool same(const std::vector<Recording>& a, const std::vector<Recording>& b) {
  return std::ranges::equal(a, b, [](const Recording& x, const Recording& y) {
    return x.name == y.name && x.shape == y.shape && x.data == y.data;
  });
}

// The part of a sequence recording that belongs to one step.
std::vector<std::byte> step_of(const Recording& r, size_t t) {
  const size_t bytes = r.data.size() / static_cast<size_t>(r.shape[0]);
  const auto first = r.data.begin() + static_cast<std::ptrdiff_t>(t * bytes);
  return {first, first + static_cast<std::ptrdiff_t>(bytes)};
}

const std::vector<std::string> kRecord{"n1", "n1.v", "n2", "n2.v", "n3", "n4", "n4.v"};

TEST_CASE("sequence and stream, one thread and several, give the same spikes, membranes and sums") {
  const auto image = small_image();
  for (const NeuronSpec& spec : neurons()) {
    CAPTURE(spec.state);
    CAPTURE(spec.leak);
    const Model model = small_network({.neuron = spec});
    Session sequence(model, {.timesteps = 4, .record = kRecord});
    const auto expected = logits(sequence, image);
    const auto recorded = sequence.recordings();
    for (const int threads : {2, 3}) {
      Session other(model, {.timesteps = 4, .threads = threads, .record = kRecord});
      CHECK(logits(other, image) == expected);
      CHECK(same(other.recordings(), recorded));
    }
    Session stream(model, {.mode = Mode::kStream, .record = kRecord});
    for (const bool again : {false, true}) {
      CAPTURE(again);
      std::vector<float> last;
      for (size_t t = 0; t < 4; ++t) {
        last = logits(stream, image);
        const auto now = stream.recordings();
        for (size_t i = 0; i < now.size(); ++i) CHECK(now[i].data == step_of(recorded[i], t));
      }
      CHECK(last == expected);
      CHECK(stream.steps() == 4);
      stream.reset();
    }
  }
}

TEST_CASE("the network of these tests does spike") {
  Session session(small_network({}), {.record = {"n1", "n2", "n3", "n4"}});
  logits(session, small_image());
  for (const Recording& r : session.recordings()) {
    CAPTURE(r.name);
    CHECK(std::ranges::any_of(r.data, [](std::byte b) { return b != std::byte{0}; }));
  }
}

TEST_CASE("every sample of a batch is what it is alone") {
  const Model model = small_network({});
  const auto images = small_image(3);
  Session three(model, {.batch = 3, .threads = 2});
  const auto all = logits(three, images);
  Session one(model);
  for (size_t n = 0; n < 3; ++n) {
    const size_t size = images.size() / 3;
    const std::vector<uint8_t> image(images.begin() + static_cast<std::ptrdiff_t>(n * size),
                                     images.begin() + static_cast<std::ptrdiff_t>((n + 1) * size));
    const auto alone = logits(one, image);
    CHECK(
        std::equal(alone.begin(), alone.end(), all.begin() + static_cast<std::ptrdiff_t>(n * alone.size())));
  }
}

// Spikes [70] -> linear -> neuron (+ shortcut) -> linear -> neuron -> linear -> neuron: nothing but vectors.
Model vector_network(const NeuronSpec& neuron) {
  sample::Numbers r(21);
  GraphBuilder b;
  const auto linear = [&](const std::string& name, const std::string& from, int64_t out, int64_t in,
                          int bits) {
    const int32_t half = 1 << (bits - 1);
    const auto codes = r.codes(static_cast<size_t>(out * in), -half, half - 1);
    const std::vector<double> scale{0.25 / half};
    return b.linear(
        name, from,
        {.shape = {out, in}, .codes = codes, .encoding = "odd", .bits = bits, .scale = scale, .values = {}});
  };
  const std::string x = b.input("x", "b1", {70});
  const std::string first = b.lif("n1", linear("l1", x, 40, 70, 1), neuron);
  const std::string second = b.lif("n2", b.add("sum", {linear("l2", first, 40, 40, 4), first}), neuron);
  b.output("y", b.lif("n3", linear("l3", second, 33, 40, 1), neuron));
  return b.build(3);
}

TEST_CASE("vectors of a batch share tiles and stay apart") {
  constexpr size_t kSteps = 3, kBatch = 29, kInputs = 70;
  sample::Numbers r(22);
  std::vector<uint8_t> spikes(kSteps * kBatch * kInputs);
  for (uint8_t& s : spikes) s = static_cast<uint8_t>(r.next(0, 1));
  const std::vector<std::string> record{"n1", "n1.v", "n2", "n2.v", "n3.v"};
  for (const char* state : {"i2", "i8", "i16", "i32"}) {
    CAPTURE(state);
    const Model model = vector_network({.state = state});
    Session alone(model, {.layout = "TNC", .record = record});
    std::vector<std::vector<Recording>> expected;
    std::vector<float> outputs(kSteps * kBatch * 33);
    for (size_t n = 0; n < kBatch; ++n) {
      std::vector<uint8_t> one;
      for (size_t t = 0; t < kSteps; ++t) {
        const auto from = spikes.begin() + static_cast<std::ptrdiff_t>((t * kBatch + n) * kInputs);
        one.insert(one.end(), from, from + kInputs);
      }
      const TensorView view{one.data(), DType::kU8, {kSteps, 1, kInputs}};
      alone.run({&view, 1});
      for (size_t t = 0; t < kSteps; ++t)
        std::ranges::copy(alone.output().subspan(t * 33, 33), &outputs[(t * kBatch + n) * 33]);
      expected.push_back(alone.recordings());
    }
    CHECK(std::ranges::count(outputs, 1.0F) > 100);
    const TensorView view{spikes.data(), DType::kU8, {kSteps, kBatch, kInputs}};
    for (const int threads : {1, 3}) {
      Session together(model, {.batch = kBatch, .threads = threads, .layout = "TNC", .record = record});
      together.run({&view, 1});
      CHECK(std::ranges::equal(together.output(), outputs));
      const auto all = together.recordings();
      for (size_t i = 0; i < all.size(); ++i) {
        const size_t row = all[i].data.size() / (kSteps * kBatch);
        bool same_rows = true;
        for (size_t t = 0; t < kSteps; ++t) {
          for (size_t n = 0; n < kBatch; ++n) {
            same_rows = same_rows && std::memcmp(all[i].data.data() + (t * kBatch + n) * row,
                                                 expected[n][i].data.data() + t * row, row) == 0;
          }
        }
        CAPTURE(all[i].name);
        CHECK(same_rows);
      }
    }
  }
}

TEST_CASE("frames that happen to be equal give what one repeated frame gives") {
  const Model model = small_network({});
  const auto image = small_image();
  Session repeated(model, {.timesteps = 3});
  Session frames(model, {.timesteps = 3, .layout = "TNCHW"});
  std::vector<uint8_t> three;
  for (int t = 0; t < 3; ++t) three.insert(three.end(), image.begin(), image.end());
  CHECK(logits(frames, three) == logits(repeated, image));
}

TEST_CASE("axes in another order") {
  const Model model = small_network({});
  const auto image = small_image();
  std::vector<uint8_t> last(image.size()), turned(image.size());
  for (size_t c = 0; c < 3; ++c) {
    for (size_t p = 0; p < 63; ++p) {
      last[p * 3 + c] = image[c * 63 + p];
      turned[c * 63 + p % 7 * 9 + p / 7] = image[c * 63 + p];
    }
  }
  Session chw(model), hwc(model, {.layout = "NHWC"}), cwh(model, {.layout = "NCWH"});
  CHECK(logits(chw, image) == logits(hwc, last));
  CHECK(logits(chw, image) == logits(cwh, turned));
  CHECK_THROWS_WITH_AS(Session(model, {.layout = "NCHH"}), doctest::Contains("not a permutation"), Error);
  CHECK_THROWS_WITH_AS(Session(model, {.layout = "NC"}), doctest::Contains("not a permutation"), Error);
}

TEST_CASE("a state that was saved continues where it was") {
  const Model model = small_network({});
  const auto image = small_image(), other = small_image(1, 9);
  Session a(model, {.mode = Mode::kStream});
  logits(a, image);
  logits(a, other);
  const auto saved = a.save_state();
  const auto expected = logits(a, image);
  Session b(model, {.mode = Mode::kStream});
  b.load_state(saved);
  CHECK(b.steps() == 2);
  CHECK(logits(b, image) == expected);
  CHECK_THROWS_WITH_AS(b.load_state(std::span(saved).first(saved.size() - 1)), doctest::Contains("expected"),
                       Error);
  auto broken = saved;
  broken[0] = std::byte{0};
  CHECK_THROWS_AS(b.load_state(broken), Error);
}

TEST_CASE("the caller's own threads") {
  const Model model = small_network({});
  const auto image = small_image();
  Session own(model, {.threads = 3});
  size_t calls = 0;
  Options options{.threads = 3};
  options.parallel_for = [&](size_t count, const std::function<void(size_t)>& task) {
    ++calls;
    for (size_t i = count; i-- > 0;) task(i);
  };
  Session hooked(model, options);
  CHECK(logits(own, image) == logits(hooked, image));
  CHECK(calls > 0);
}

TEST_CASE("profile X: no more steps than it is exact for") {
  const Model model = small_network({.neuron = {.profile = "X"}, .residual = false}, 3);
  const auto image = small_image();
  Session sequence(model);
  const auto expected = logits(sequence, image);
  CHECK_THROWS_WITH_AS(Session(model, {.timesteps = 4}), doctest::Contains("exact for 3 steps"), Error);
  Session stream(model, {.mode = Mode::kStream});
  std::vector<float> last;
  for (int t = 0; t < 3; ++t) last = logits(stream, image);
  CHECK(last == expected);
  CHECK_THROWS_WITH_AS(logits(stream, image), doctest::Contains("reset"), Error);
  stream.reset();
  CHECK_NOTHROW(logits(stream, image));
}

TEST_CASE("wrong arrays and options are refused before anything runs") {
  const Model model = small_network({});
  Session session(model);
  std::vector<float> out(5), few(4);
  std::vector<uint8_t> image = small_image();
  CHECK_THROWS_WITH_AS(session.run(std::span(image).first(10), out), doctest::Contains("[1, 3, 9, 7]"),
                       Error);
  CHECK_THROWS_AS(session.run(image, few), Error);
  const TensorView wrong{image.data(), DType::kU8, {1, 9, 3, 7}};
  CHECK_THROWS_WITH_AS(session.run({&wrong, 1}),
                       doctest::Contains("expected [1, 3, 9, 7] in layout NCHW, received [1, 9, 3, 7]"),
                       Error);
  const TensorView type{image.data(), DType::kBool, {1, 3, 9, 7}};
  CHECK_THROWS_WITH_AS(session.run({&type, 1}), doctest::Contains("received bool"), Error);
  CHECK_THROWS_WITH_AS(Session(model, {.timesteps = -1}), doctest::Contains("timesteps must be 1..4096"),
                       Error);
  CHECK_THROWS_AS(Session(model, {.batch = 0}), Error);
  CHECK_THROWS_AS(Session(model, {.threads = 0}), Error);
  for (const char* name : {"nothing", "nothing.v", "max", "n1.sum", "head.v", "logits"}) {
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(Session(model, {.record = {name}}), doctest::Contains("record"), Error);
  }
}

TEST_CASE("normalised values give what their pixels give") {
  const Model model = small_network({});
  const auto image = small_image();
  std::vector<float> values(image.size());
  const int zero[3] = {120, 125, 130};
  for (size_t i = 0; i < image.size(); ++i) values[i] = static_cast<float>(image[i] - zero[i / 63]) / 64.0F;
  Session a(model), b(model);
  std::vector<float> out(5);
  b.run(values, out);
  CHECK(out == logits(a, image));
}

TEST_CASE("sums can be recorded, fused or not") {
  const Model model = small_network({});
  const auto image = small_image();
  Session plain(model), sums(model, {.record = {"c2.sum", "logits.sum"}});
  CHECK(logits(plain, image) == logits(sums, image));
  const auto r = sums.recordings();
  CHECK(r[0].shape == Shape{3, 1, 37, 9, 7});
  CHECK(r[1].shape == Shape{1, 5});
  CHECK(r[1].dtype == DType::kI64);
}

TEST_CASE("without outputs only what is recorded is computed") {
  const Model model = small_network({});
  const auto image = small_image();
  const TensorView pixels{image.data(), DType::kU8, {1, 3, 9, 7}};
  const std::vector<std::string> record{"n2", "c2.sum"};
  Session all(model, {.record = record}), part(model, {.record = record, .outputs = false});
  all.run({{pixels}});
  part.run({{pixels}});
  CHECK(same(all.recordings(), part.recordings()));
  CHECK_THROWS_WITH(static_cast<void>(part.output()), doctest::Contains("output 0"));
  CHECK_THROWS_WITH(static_cast<void>(all.packed_output()), doctest::Contains("is not spikes"));
}

TEST_CASE("an output of spikes is packed as it is recorded") {
  GraphBuilder b;
  const std::vector<int8_t> codes{0, -1, -1, 0};
  const std::vector<double> one{1.0};
  b.linear("fc", b.input("x", "b1", {2}),
           {.shape = {2, 2}, .codes = codes, .encoding = "odd", .bits = 1, .scale = one, .values = {}});
  b.output("y", b.lif("n", "fc", {}));
  const Model model = b.build(2);
  Session session(model, {.record = {"n"}});
  const bool spikes[] = {true, false};
  session.run({{TensorView{spikes, DType::kBool, {1, 2}}}});
  const BitTensor packed = session.packed_output();
  const Recording recorded = session.recordings()[0];
  CHECK(packed.shape() == Shape{2, 1, 2});
  REQUIRE(recorded.data.size() == packed.rows() * packed.row_words() * sizeof(uint64_t));
  CHECK(std::memcmp(packed.words(), recorded.data.data(), recorded.data.size()) == 0);
  CHECK(session.output()[0] == 1.0F);
  CHECK(session.output()[1] == 0.0F);
}

TEST_CASE("a model that was saved runs like the one that was built") {
  const Model built = small_network({});
  const Model read = Model::from_bytes(built.to_bytes());
  CHECK(read.to_bytes() == built.to_bytes());
  CHECK(read.file_bytes() == built.file_bytes());
  Session a(built), b(read);
  CHECK(logits(a, small_image()) == logits(b, small_image()));
}

TEST_CASE("required_bytes is what a session takes") {
  const Model model = small_network({});
  CHECK(required_bytes(model, {}) == Program(model, {}).session_bytes());
  CHECK(required_bytes(model, {.batch = 4}) > required_bytes(model, {}));
}

TEST_CASE("values that live at the same time do not share memory") {
  sample::Numbers r(11);
  for (int round = 0; round < 200; ++round) {
    runtime::ArenaPlan plan;
    struct Value {
      size_t bytes, first, last;
    };
    std::vector<Value> values;
    for (int i = r.next(1, 12); i > 0; --i) {
      const auto first = static_cast<size_t>(r.next(0, 6));
      values.push_back(
          {static_cast<size_t>(r.next(0, 500)), first, first + static_cast<size_t>(r.next(0, 3))});
      plan.add(values.back().bytes, values.back().first, values.back().last);
    }
    const size_t total = plan.place();
    for (size_t a = 0; a < values.size(); ++a) {
      CHECK(plan.offset(a) + values[a].bytes <= total);
      for (size_t b = 0; b < a; ++b) {
        const bool together = values[a].first <= values[b].last && values[b].first <= values[a].last;
        const bool apart = plan.offset(a) + values[a].bytes <= plan.offset(b) ||
                           plan.offset(b) + values[b].bytes <= plan.offset(a);
        CHECK((!together || apart));
      }
    }
  }
}

}  // namespace
}  // namespace snncore
