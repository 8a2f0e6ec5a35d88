#include "kernels/common.h"
#include "kernels/row_bounds.h"

namespace snncore::test {
namespace {

using kernels::RowWeights;

struct Shape {
  size_t channels, inputs, taps, pixels;
};

struct Codes {
  int32_t max_abs;
  bool odd;
  double density;
};

// Random codes with at least one of the largest size; `extreme` makes all of them so, with one sign a
// channel.
int8_t code(Random& random, int32_t max_abs, bool extreme, size_t c) {
  const int64_t hi = max_abs > 127 ? 127 : max_abs;
  if (!extreme) return static_cast<int8_t>(random.in(-max_abs, hi));
  return static_cast<int8_t>(c % 2 == 0 ? -max_abs : hi);
}

void check(Random& random, const std::vector<kernels::KernelTable>& tables, const Shape& s, const Codes& k) {
  const size_t cp = kernels::pad_channels(s.channels), rows = s.taps * s.inputs;
  const kernels::CodeParts parts{s.inputs, s.taps, cp};
  const size_t stored = parts.rows();
  Guarded<int8_t> codes(stored * cp);
  const auto at = [&](size_t r, size_t c) {
    return kernels::row_weight<kernels::kCodeBlock>(parts.row(r / s.inputs, r % s.inputs), c, stored, cp);
  };
  const bool extreme = random.chance(0.25);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < s.channels; ++c) {
      codes[at(r, c)] = code(random, k.max_abs, extreme, c);
    }
  }
  std::vector<uint16_t> bounds(kernels::row_bounds(s.inputs, s.taps, cp));
  kernels::fill_row_bounds(codes.data(), s.inputs, s.taps, cp, bounds.data());
  SpikeRows spikes(random, s.pixels, s.taps, s.inputs, k.density);
  const RowWeights w{codes.data(), bounds.data(), s.inputs, s.taps, cp, k.max_abs, k.odd};

  std::vector<int32_t> expected(s.pixels * cp);
  for (size_t p = 0; p < s.pixels; ++p) {
    for (size_t c = 0; c < cp; ++c) {
      int64_t sum = 0;
      for (size_t r = 0; r < rows; ++r) {
        if (!spikes.fires(p * s.taps + r / s.inputs, r % s.inputs)) continue;
        const int32_t q = codes[at(r, c)];
        sum += k.odd ? 2 * q + 1 : q;
      }
      expected[p * cp + c] = static_cast<int32_t>(sum);
    }
  }
  const size_t shift = random.size(0, 1) * 3;
  for (const auto& table : tables) {
    Guarded<int32_t> sums(s.pixels * cp, shift);
    table.addrows_b1i8_i32(spikes.tile(), w, sums.data(), spikes.scratch());
    const bool same = expected.empty() || std::memcmp(sums.data(), expected.data(), expected.size() * 4) == 0;
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.taps);
    CAPTURE(s.pixels);
    CAPTURE(k.max_abs);
    CAPTURE(k.density);
    CHECK((same && sums.intact() && spikes.intact()));
  }
}

TEST_CASE("addrows_b1i8_i32 equals the sum over spikes on every level") {
  Random random(1);
  const auto levels = tables();
  const size_t taps[] = {1, 4, 9};
  for (const size_t n : sizes()) {
    for (const int32_t max_abs : {0, 1, 2, 8, 31, 32, 127, 128}) {
      for (const double density : {0.0, 0.1, 0.5, 1.0}) {
        const Codes codes{max_abs, random.chance(0.5), density};
        check(random, levels, {n, random.size(1, 130), random.pick(taps), random.size(1, 4)}, codes);
        check(random, levels, {random.size(1, 130), n, random.pick(taps), random.size(1, 9)}, codes);
      }
    }
  }
}

TEST_CASE("addrows_b1i8_i32 with more rows than a list or an int16 lane takes") {
  Random random(2);
  const auto levels = tables();
  for (const int32_t max_abs : {0, 1, 8, 31, 127, 128}) {
    for (const bool odd : {false, true}) {
      check(random, levels, {33, 3000, 1, 2}, {max_abs, odd, 1.0});
      check(random, levels, {160, 250, 9, 2}, {max_abs, odd, 1.0});
      check(random, levels, {300, 1100, 1, 1}, {max_abs, odd, 0.9});
    }
  }
}

}  // namespace
}  // namespace snncore::test
