// Patch embedding: convolutions of several dilations that read the same spikes, and the sum of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <snncore/snncore.h>

#include "kernels/common.h"

namespace snncore {
namespace {

using test::Random;

constexpr int64_t kDilations[] = {1, 2};

struct Image {
  int64_t channels, height, width;
  std::vector<uint8_t> spikes;

  /// 0 outside.
  [[nodiscard]] int64_t at(int64_t c, int64_t y, int64_t x) const {
    const bool inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? spikes[static_cast<size_t>((c * height + y) * width + x)] : 0;
  }
};

/// Codes [outputs, channels, 3, 3] of one branch.
using Codes = std::vector<int8_t>;

int64_t sum_at(const Image& image, const Codes& codes, int64_t output, int64_t y, int64_t x, int64_t dilation,
               bool odd) {
  int64_t sum = 0;
  for (int64_t c = 0; c < image.channels; ++c) {
    for (int64_t tap = 0; tap < 9; ++tap) {
      const int64_t q = codes[static_cast<size_t>((output * image.channels + c) * 9 + tap)];
      const int64_t s = image.at(c, y + (tap / 3 - 1) * dilation, x + (tap % 3 - 1) * dilation);
      sum += s * (odd ? 2 * q + 1 : q);
    }
  }
  return sum;
}

// Sizes around one word of channels and one tile of outputs; images smaller than a dilated kernel, too.
TEST_CASE("a stage of two dilations is the sum of both convolutions, at every border") {
  Random random(1);
  for (int round = 0; round < 40; ++round) {
    const int64_t in = random.pick({1, 3, 24, 63, 64, 65}), outputs = random.pick({1, 5, 16, 33});
    const bool odd = random.chance(0.5);
    Image image{in, random.in(1, 9), random.in(1, 9), {}};
    image.spikes.resize(static_cast<size_t>(in * image.height * image.width));
    for (uint8_t& s : image.spikes) s = random.chance(0.4) ? 1 : 0;
    std::vector<Codes> codes(2, Codes(static_cast<size_t>(outputs * in * 9)));
    GraphBuilder b;
    b.input("x", "b1", {in, image.height, image.width}, {}, 0, "NCHW");
    const std::vector<double> one{1.0};
    std::vector<std::string> rows;
    for (size_t i = 0; i < 2; ++i) {
      for (int8_t& q : codes[i]) q = static_cast<int8_t>(odd ? random.in(-1, 0) : random.in(-7, 7));
      const int64_t d = kDilations[i];
      rows.push_back(b.conv2d("d" + std::to_string(d), "x",
                              {.shape = {outputs, in, 3, 3},
                               .codes = codes[i],
                               .encoding = odd ? "odd" : "sym",
                               .bits = odd ? 1 : 4,
                               .scale = one,
                               .values = {}},
                              {.padding = {d, d, d, d}, .dilation = {d, d}}));
    }
    b.output("y", b.lif("lif", b.add("both", rows), {.threshold = 2.0}));
    Session session(b.build(1), {});
    session.run(
        std::vector<TensorView>{{image.spikes.data(), DType::kBool, {1, in, image.height, image.width}}});
    std::vector<float> expected;
    for (int64_t o = 0; o < outputs; ++o) {
      for (int64_t y = 0; y < image.height; ++y) {
        for (int64_t x = 0; x < image.width; ++x) {
          int64_t sum = 0;
          for (size_t i = 0; i < 2; ++i) sum += sum_at(image, codes[i], o, y, x, kDilations[i], odd);
          expected.push_back(sum >= 2 ? 1.0F : 0.0F);
        }
      }
    }
    CHECK(std::ranges::equal(session.output(0), expected));
  }
}

}  // namespace
}  // namespace snncore
