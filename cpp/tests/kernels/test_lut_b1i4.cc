#include <algorithm>

#include "kernels/lut_codes.h"
#include "kernels/raster_case.h"

namespace snncore::test {
namespace {

using kernels::LutCodes;

// Between lo and hi, or one of the two in each channel: what fills bytes soonest.
std::vector<int8_t> random_weights(Random& random, const RasterShape& s, int32_t lo, int32_t hi) {
  std::vector<int8_t> weights(s.channels * s.taps * s.inputs);
  const bool one_sided = random.chance(0.3);
  for (size_t i = 0; i < weights.size(); ++i) {
    const bool up = i / (s.taps * s.inputs) % 2 == 0;
    weights[i] = static_cast<int8_t>(one_sided ? (up ? hi : lo) : random.in(lo, hi));
  }
  return weights;
}

struct Range {
  int32_t lo, hi;
};
constexpr Range kRanges[] = {{-1, 1}, {-3, 3}, {-8, 7}, {-15, 15}, {-32, 31}};

void check(Random& random, const std::vector<kernels::KernelTable>& tables, const RasterShape& s, Range range,
           double density) {
  const size_t cp = kernels::pad_channels(s.channels);
  const bool columns = random.chance(0.7);
  const RasterCase spikes(random, s, density, columns);
  const std::vector<int8_t> weights = random_weights(random, s, range.lo, range.hi);
  REQUIRE(kernels::fits_lut(weights.data(), s.channels, s.taps, s.inputs, 4));
  const std::vector<int32_t> expected = spikes.sums(weights);
  Guarded<uint8_t> scratch(kernels::lut_scratch(spikes.rows(), s.inputs, s.taps));
  for (const auto& table : tables) {
    if (table.columns && !columns) continue;
    if (!kernels::fits_lut(weights.data(), s.channels, s.taps, s.inputs, table.lut_width)) continue;
    const LutCodes codes = kernels::lut_codes(weights.data(), s.channels, s.taps, s.inputs, table.lut_width);
    Guarded<int32_t> sums(s.pixels * cp, 1);
    table.lut_b1i4_i32(spikes.raster(), codes.view(), sums.data(),
                       reinterpret_cast<std::byte*>(scratch.data()));
    const bool same = expected.empty() || std::memcmp(sums.data(), expected.data(), expected.size() * 4) == 0;
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.taps);
    CAPTURE(s.pixels);
    CAPTURE(range.hi);
    CHECK((same && sums.intact() && scratch.intact()));
  }
}

TEST_CASE("lut_b1i4_i32 equals the sum over spikes on every level") {
  Random random(31);
  const auto levels = tables();
  const size_t taps[] = {1, 4, 9};
  for (const size_t n : sizes()) {
    if (n == 0) continue;
    check(random, levels, {n, random.size(1, 130), random.pick(taps), random.size(1, 40)},
          random.pick(kRanges), 0.4);
    check(random, levels, {random.size(1, 70), n, random.pick(taps), random.size(1, 300)},
          random.pick(kRanges), 0.4);
    check(random, levels, {random.size(1, 70), random.size(1, 130), 1, n}, random.pick(kRanges), 1.0);
  }
}

TEST_CASE("lut_b1i4_i32 with more tables than a byte or an int16 lane takes") {
  Random random(32);
  const auto levels = tables();
  for (const Range range : kRanges) {
    check(random, levels, {33, 3000, 1, 5}, range, 1.0);
    check(random, levels, {6, 1100, 9, 70}, range, 0.9);
  }
}

// The least and the most that a table's sums are: of one list of sums, or of two that are added.
Range range_of(const int8_t* table, size_t width) {
  const size_t sums = width == 4 ? kernels::kLutEntries : kernels::kLutEntries / 2;
  Range range{0, 0};
  for (size_t first = 0; first < kernels::kLutEntries; first += sums) {
    range.lo += *std::min_element(table + first, table + first + sums);
    range.hi += *std::max_element(table + first, table + first + sums);
  }
  return range;
}

void check_runs(const RasterShape& s, const LutCodes& codes) {
  REQUIRE(codes.starts.size() == 32 / kernels::kLutChannels + 1);
  for (size_t block = 0; block + 1 < codes.starts.size(); ++block) {
    const int8_t* table =
        codes.tables.data() + block * kernels::lut_block_bytes(s.inputs, s.taps, codes.width);
    size_t total = 0;
    for (size_t run = codes.starts[block]; run < codes.starts[block + 1]; ++run) {
      total += codes.runs[run];
      int32_t down[kernels::kLutChannels] = {}, up[kernels::kLutChannels] = {};
      for (size_t i = 0; i < codes.runs[run] * kernels::kLutChannels; ++i, table += kernels::kLutEntries) {
        const Range range = range_of(table, codes.width);
        down[i % kernels::kLutChannels] += range.lo;
        up[i % kernels::kLutChannels] += range.hi;
      }
      for (size_t c = 0; c < kernels::kLutChannels; ++c) CHECK((down[c] >= -128 && up[c] <= 127));
    }
    CHECK(total == s.taps * kernels::lut_tables(s.inputs, codes.width));
  }
}

TEST_CASE("lut_codes: no run can leave a byte, and what does not fit is told") {
  Random random(33);
  const RasterShape s{13, 70, 9, 0};
  for (const size_t width : {4, 6}) {
    for (const Range range : kRanges) {
      if (static_cast<int32_t>(width) * range.hi > 127) continue;
      const std::vector<int8_t> weights = random_weights(random, s, range.lo, range.hi);
      check_runs(s, kernels::lut_codes(weights.data(), s.channels, s.taps, s.inputs, width));
    }
    const std::vector<int8_t> large(s.channels * s.taps * s.inputs, static_cast<int8_t>(128 / width + 1));
    CHECK_FALSE(kernels::fits_lut(large.data(), s.channels, s.taps, s.inputs, width));
  }
}

}  // namespace
}  // namespace snncore::test
