// Counts of spikes into weights of +1 and -1, which are summed bit by bit: against the sum itself.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <snncore/snncore.h>

#include "forced_method.h"
#include "kernels/common.h"

namespace snncore {
namespace {

using runtime::SumMethod;
using test::Random;

struct Layer {
  int bits;  // of a count
  int64_t channels, outputs, groups, kernel, stride, dilation, height, width, steps;
  double density;

  [[nodiscard]] int64_t reach() const { return dilation * (kernel - 1); }
  [[nodiscard]] int64_t out(int64_t size) const { return (size + 2 - reach() - 1) / stride + 1; }
};

Layer drawn(Random& random) {
  Layer l{};
  l.bits = static_cast<int>(random.in(2, 5));  // of five bits: products of bytes
  l.groups = random.pick({1, 1, 2, 3});
  l.channels = l.groups * random.pick({1, 7, 8, 20, 64, 70});
  l.outputs = l.groups * random.pick({1, 5, 16, 33});
  l.kernel = random.pick({1, 3}), l.stride = random.in(1, 2), l.dilation = random.in(1, 2);
  l.height = random.in(3, 8), l.width = random.in(3, 8), l.steps = random.in(1, 3);
  l.density = random.pick({0.0, 0.02, 0.3, 1.0});
  return l;
}

class Case {
 public:
  Case(Random& random, const Layer& l) : l_(l) {
    x_.resize(static_cast<size_t>(l.steps * l.channels * l.height * l.width));
    for (uint8_t& count : x_) {
      const int64_t most = (int64_t{1} << l.bits) - 1;
      count = static_cast<uint8_t>(random.chance(l.density) ? random.in(most / 2, most) : 0);
    }
    codes_.resize(static_cast<size_t>(l.outputs * l.channels / l.groups * l.kernel * l.kernel));
    for (int8_t& q : codes_) q = static_cast<int8_t>(random.in(-1, 0));
  }

  /// [T, C, H, W].
  [[nodiscard]] std::vector<int32_t> expected() const {
    std::vector<int32_t> sums;
    for (int64_t t = 0; t < l_.steps; ++t) {
      for (int64_t o = 0; o < l_.outputs; ++o) {
        for (int64_t y = 0; y < l_.out(l_.height); ++y) {
          for (int64_t x = 0; x < l_.out(l_.width); ++x) sums.push_back(sum(t, o, y, x));
        }
      }
    }
    return sums;
  }

  [[nodiscard]] std::vector<int32_t> found(int threads) const {
    GraphBuilder b;
    b.input("x", "count" + std::to_string(l_.bits), {l_.channels, l_.height, l_.width}, {}, 0, "TNCHW");
    const std::vector<double> one{1.0};
    b.conv2d("conv", "x",
             {.shape = {l_.outputs, l_.channels / l_.groups, l_.kernel, l_.kernel},
              .codes = codes_,
              .encoding = "odd",
              .bits = 1,
              .scale = one,
              .values = {}},
             {.stride = {l_.stride, l_.stride},
              .padding = {1, 1, 1, 1},
              .dilation = {l_.dilation, l_.dilation},
              .groups = l_.groups});
    b.output("y", b.lif("lif", "conv", {.threshold = 64.0}));
    Session session(b.build(l_.steps), {.threads = threads, .record = {"conv.sum"}});
    session.run(
        std::vector<TensorView>{{x_.data(), DType::kU8, {l_.steps, 1, l_.channels, l_.height, l_.width}}});
    const std::vector<Recording> kept = session.recordings();
    std::vector<int32_t> sums(kept[0].data.size() / sizeof(int32_t));
    std::memcpy(sums.data(), kept[0].data.data(), kept[0].data.size());
    return sums;
  }

 private:
  [[nodiscard]] int32_t sum(int64_t t, int64_t o, int64_t y, int64_t x) const {
    const int64_t inputs = l_.channels / l_.groups, first = o / (l_.outputs / l_.groups) * inputs;
    int32_t sum = 0;
    for (int64_t i = 0; i < inputs; ++i) {
      for (int64_t tap = 0; tap < l_.kernel * l_.kernel; ++tap) {
        const int64_t row = y * l_.stride - 1 + tap / l_.kernel * l_.dilation;
        const int64_t column = x * l_.stride - 1 + tap % l_.kernel * l_.dilation;
        if (row < 0 || row >= l_.height || column < 0 || column >= l_.width) continue;
        const size_t at =
            static_cast<size_t>(((t * l_.channels + first + i) * l_.height + row) * l_.width + column);
        const size_t code = static_cast<size_t>((o * inputs + i) * l_.kernel * l_.kernel + tap);
        sum += codes_[code] == 0 ? x_[at] : -x_[at];
      }
    }
    return sum;
  }

  Layer l_;
  std::vector<uint8_t> x_;
  std::vector<int8_t> codes_;
};

TEST_CASE("counts into weights of one bit, gathered and counted") {
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    const Layer layer = drawn(random);
    if (layer.reach() >= std::min(layer.height, layer.width) + 2) continue;
    const Case c(random, layer);
    CAPTURE(layer.bits);
    CAPTURE(layer.channels);
    CAPTURE(layer.groups);
    const std::vector<int32_t> expected = c.expected();
    CHECK(c.found(1) == expected);
    for (const SumMethod method : {SumMethod::kGather, SumMethod::kCount}) {
      const runtime::Forced forced(method);
      CHECK(c.found(2) == expected);
    }
  }
}

}  // namespace
}  // namespace snncore
