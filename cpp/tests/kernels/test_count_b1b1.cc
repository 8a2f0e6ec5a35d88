#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::BitWeights;
using kernels::kChannelPad;

struct Shape {
  size_t channels, inputs, taps, pixels;
};

void check(Random& random, const std::vector<kernels::KernelTable>& tables, const Shape& s, double density,
           double plus) {
  const size_t cp = kernels::pad_channels(s.channels), words = (s.inputs + 31) / 32;
  Guarded<uint32_t> bits(cp * s.taps * words);
  Guarded<int32_t> ones(cp);
  const auto word = [&](size_t tap, size_t i, size_t c) -> uint32_t& {
    return bits[((c / kChannelPad * s.taps + tap) * words + i / 32) * kChannelPad + c % kChannelPad];
  };
  SpikeRows spikes(random, s.pixels, s.taps, s.inputs, density);
  std::vector<int32_t> expected(s.pixels * cp);
  for (size_t tap = 0; tap < s.taps; ++tap) {
    for (size_t i = 0; i < s.inputs; ++i) {
      for (size_t c = 0; c < cp; ++c) {
        const bool up = c < s.channels && random.chance(plus);
        if (up) word(tap, i, c) |= uint32_t{1} << (i % 32);
        ones[c] += up ? 1 : 0;
        for (size_t p = 0; p < s.pixels; ++p)
          expected[p * cp + c] += spikes.fires(p * s.taps + tap, i) ? (up ? 1 : -1) : 0;
      }
    }
  }
  for (const auto& table : tables) {
    Guarded<int32_t> sums(s.pixels * cp, 1);
    table.count_b1b1_i32(spikes.tile(),
                         BitWeights{bits.data(), ones.data(), s.inputs, s.taps, s.channels, cp}, sums.data());
    bool same = true;
    for (size_t i = 0; i < expected.size(); ++i)
      same = same && (i % cp >= s.channels || sums[i] == expected[i]);
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.taps);
    CAPTURE(s.pixels);
    CHECK((same && sums.intact() && spikes.intact()));
  }
}

TEST_CASE("count_b1b1_i32 equals the sum over spikes on every level") {
  Random random(11);
  const auto levels = tables();
  const size_t taps[] = {1, 4, 9};
  for (const size_t n : sizes()) {
    for (const double density : {0.0, 0.3, 1.0}) {
      check(random, levels, {n, random.size(1, 130), random.pick(taps), random.size(1, 4)}, density, 0.5);
      check(random, levels, {random.size(1, 130), n, random.pick(taps), random.size(1, 19)}, density, 0.5);
    }
  }
}

TEST_CASE("count_b1b1_i32 with more words than a byte counts") {
  Random random(12);
  const auto levels = tables();
  for (const double plus : {0.0, 1.0}) {
    check(random, levels, {40, 3000, 1, 9}, 1.0, plus);
    check(random, levels, {33, 250, 9, 9}, 1.0, plus);
  }
}

}  // namespace
}  // namespace snncore::test
