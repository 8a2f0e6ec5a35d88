#include <algorithm>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::BitWeights;
using kernels::count_third;
using kernels::kChannelPad;

struct Shape {
  size_t channels, inputs, taps, pixels;
};

void check(Random& random, const std::vector<kernels::KernelTable>& tables, const Shape& s, double density,
           double plus) {
  const size_t cp = kernels::pad_channels(s.channels), words = kernels::patch_words(s.inputs, s.taps);
  Guarded<uint32_t> bits(cp * words), patches(s.pixels * words);
  Guarded<int32_t> ones(cp);
  std::vector<int32_t> expected(s.pixels * cp);
  for (size_t tap = 0; tap < s.taps; ++tap) {
    for (size_t i = 0; i < s.inputs; ++i) {
      const size_t bit = tap * kernels::tap_bytes(s.inputs) * 8 + i;
      const uint32_t set = uint32_t{1} << (bit % 32);
      std::vector<size_t> firing;
      for (size_t p = 0; p < s.pixels; ++p) {
        if (!random.chance(density)) continue;
        patches[p * words + bit / 32] |= set;
        firing.push_back(p);
      }
      for (size_t c = 0; c < cp; ++c) {
        const bool up = c < s.channels && random.chance(plus);
        if (up) bits[(c / kChannelPad * words + bit / 32) * kChannelPad + c % kChannelPad] |= set;
        ones[c] += up ? 1 : 0;
        for (const size_t p : firing) expected[p * cp + c] += up ? 1 : -1;
      }
    }
  }
  for (const auto& table : tables) {
    Guarded<int32_t> sums(s.pixels * cp, 1);
    Guarded<uint32_t> spikes(s.pixels * words), weights(cp * words);
    std::copy_n(patches.data(), patches.size(), spikes.data());
    std::copy_n(bits.data(), bits.size(), weights.data());
    table.prepare_count_b1(spikes.data(), s.pixels, words, count_third(words));
    table.prepare_count_b1(weights.data(), cp / kChannelPad, words * kChannelPad,
                           count_third(words) * kChannelPad);
    table.count_b1b1_i32({spikes.data(), s.pixels},
                         BitWeights{weights.data(), ones.data(), words, s.channels, cp}, sums.data());
    bool same = true;
    for (size_t i = 0; i < expected.size(); ++i)
      same = same && (i % cp >= s.channels || sums[i] == expected[i]);
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.taps);
    CAPTURE(s.pixels);
    CHECK((same && sums.intact() && spikes.intact() && weights.intact()));
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
