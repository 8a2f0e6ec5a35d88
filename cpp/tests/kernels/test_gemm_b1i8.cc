#include <algorithm>

#include "kernels/raster_case.h"

namespace snncore::test {
namespace {

void check(Random& random, const std::vector<kernels::KernelTable>& tables, const RasterShape& s,
           bool extreme, double density) {
  const size_t cp = kernels::pad_channels(s.channels);
  const RasterCase spikes(random, s, density, false);
  std::vector<int8_t> weights(s.channels * s.taps * s.inputs);
  for (int8_t& w : weights) w = static_cast<int8_t>(extreme ? -128 : random.in(-128, 127));
  Guarded<int8_t> packed(kernels::dense_bytes(s.inputs, s.taps, s.run_taps, cp));
  const kernels::DenseWeights w{packed.data(), s.inputs, s.taps, s.run_taps, cp};
  for (size_t i = 0; i < weights.size(); ++i) {
    const size_t row = i % (s.taps * s.inputs);
    packed[kernels::dense_weight(row / s.inputs, row % s.inputs, i / (s.taps * s.inputs), w)] = weights[i];
  }
  const std::vector<int32_t> expected = spikes.sums(weights);
  Guarded<uint8_t> scratch(kernels::dense_scratch(spikes.rows(), s.inputs, s.pixels));
  std::fill_n(scratch.data(), scratch.size(), uint8_t{0xa5});
  for (const auto& table : tables) {
    Guarded<int32_t> sums(s.pixels * cp, 1);
    table.gemm_b1i8_i32(spikes.raster(), w, sums.data(), reinterpret_cast<std::byte*>(scratch.data()));
    const bool same = expected.empty() || std::memcmp(sums.data(), expected.data(), expected.size() * 4) == 0;
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.taps);
    CAPTURE(s.pixels);
    CAPTURE(s.run_taps);
    CHECK((same && sums.intact() && scratch.intact()));
  }
}

TEST_CASE("gemm_b1i8_i32 equals the sum over spikes on every level") {
  Random random(51);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    if (n == 0) continue;
    for (const size_t run : {1, 3, 9}) {
      check(random, levels, {n, random.size(1, 70), 9, random.size(1, 40), run}, false, 0.4);
      check(random, levels, {random.size(1, 70), n, 9, random.size(1, 40), run}, false, 0.4);
    }
    check(random, levels, {random.size(1, 70), random.size(1, 130), 1, n}, false, 1.0);
  }
}

TEST_CASE("gemm_b1i8_i32 with sums that 16 bits do not hold") {
  Random random(52);
  const auto levels = tables();
  check(random, levels, {33, 3000, 1, 5}, true, 1.0);
  check(random, levels, {6, 700, 9, 70, 3}, true, 0.9);
}

TEST_CASE("dense_weight gives every weight a place of its own") {
  const size_t cp = 64;
  for (const size_t inputs : {1, 20, 64, 100}) {
    for (const size_t run : {1, 3}) {
      const kernels::DenseWeights w{nullptr, inputs, 9, run, cp};
      std::vector<size_t> places;
      for (size_t i = 0; i < cp * 9 * inputs; ++i)
        places.push_back(kernels::dense_weight(i / inputs % 9, i % inputs, i / inputs / 9, w));
      std::sort(places.begin(), places.end());
      CHECK(std::adjacent_find(places.begin(), places.end()) == places.end());
      CHECK(places.back() < kernels::dense_bytes(inputs, 9, run, cp));
    }
  }
}

}  // namespace
}  // namespace snncore::test
