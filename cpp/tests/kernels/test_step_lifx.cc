#include <utility>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;
using kernels::LifXTile;

struct Case {
  size_t channels, pixels, steps, cp, stride;
  int32_t shift;
  bool is_static;
  Guarded<int32_t> sums, theta;

  Case(Random& random, size_t channels_in)
      : channels(channels_in),
        pixels(random.size(1, 9)),
        steps(random.size(1, 6)),
        cp(kernels::pad_channels(channels)),
        stride(words_for(channels) + 1),
        shift(static_cast<int32_t>(steps - 1 + random.size(0, 2))),
        is_static(random.chance(0.3)),
        sums((is_static ? 1 : steps) * pixels * cp, 1),
        theta((static_cast<size_t>(shift) + 1) * cp) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<int32_t>(random.in(-8191, 8191));
    for (size_t i = 0; i < theta.size(); ++i) {
      const int64_t bound = int64_t{8191} << shift;
      theta[i] = i % cp < channels ? static_cast<int32_t>(random.in(-bound / 4, bound)) : INT32_MAX;
    }
  }

  LifXTile tile(Guarded<uint64_t>& out, Guarded<int32_t>& record, size_t from, size_t to) {
    const size_t t_stride = is_static ? 0 : pixels * cp;
    return {sums.data() + from * t_stride,
            t_stride,
            shift,
            theta.data(),
            to - from,
            pixels,
            channels,
            cp,
            nullptr,
            nullptr,
            out.data() + from * pixels * stride,
            stride,
            pixels * stride,
            record.data() + from * pixels * cp,
            pixels * cp};
  }
};

// V in units of 2^-F as an exact integer: floor division never meets a remainder while k <= F + 1.
void expect(Case& given, Guarded<uint64_t>& out, Guarded<int32_t>& record) {
  for (size_t p = 0; p < given.pixels; ++p) {
    for (size_t c = 0; c < given.channels; ++c) {
      int64_t v = 0;
      size_t k = 0;
      for (size_t t = 0; t < given.steps; ++t) {
        const int64_t sum =
            given.sums[(given.is_static ? 0 : t * given.pixels * given.cp) + p * given.cp + c];
        REQUIRE(v % 2 == 0);
        v = v / 2 + sum * (int64_t{1} << given.shift);
        k += 1;
        if (v >= given.theta[(k - 1) * given.cp + c]) {
          set_bit(out.data() + (t * given.pixels + p) * given.stride, c);
          v = 0;
          k = 0;
        }
        record[(t * given.pixels + p) * given.cp + c] = static_cast<int32_t>(v);
      }
    }
  }
}

void check(const KernelTable& table, Case& given, size_t cut) {
  const size_t words = given.steps * given.pixels * given.stride,
               values = given.steps * given.pixels * given.cp;
  Guarded<uint64_t> expected(words, 1), out(words, 1), kept(words, 1);
  Guarded<int32_t> expected_v(values, 1), v(values, 1), kept_v(values, 1);
  expect(given, expected, expected_v);

  table.step_lifx_i32(given.tile(out, v, 0, given.steps));
  Guarded<int32_t> state(given.pixels * given.cp, 1);
  Guarded<uint8_t> age(given.pixels * given.cp, 1);
  for (const auto& [from, to] : {std::pair{size_t{0}, cut}, std::pair{cut, given.steps}}) {
    LifXTile t = given.tile(kept, kept_v, from, to);
    t.state = state.data();
    t.age = age.data();
    table.step_lifx_i32(t);
  }
  bool same =
      out == expected && kept == expected && out.intact() && v.intact() && state.intact() && age.intact();
  for (size_t i = 0; i < values; ++i) {
    if (i % given.cp < given.channels) same = same && v[i] == expected_v[i] && kept_v[i] == expected_v[i];
  }
  CAPTURE(table.isa);
  CAPTURE(given.channels);
  CHECK(same);
}

TEST_CASE("step_lifx_i32 equals exact arithmetic on every level") {
  Random random(12);
  for (const size_t channels : sizes()) {
    for (int repeat = 0; repeat < 10; ++repeat) {
      Case given(random, channels);
      const size_t cut = random.size(0, given.steps);
      for (const KernelTable& table : tables()) check(table, given, cut);
    }
  }
}

TEST_CASE("profile X, T = 3, by hand") {
  Random random(13);
  for (const auto& [sums, spikes] :
       {std::pair{std::vector<int32_t>{0, 0, 0}, std::vector<uint64_t>{0, 0, 0}},
        std::pair{std::vector<int32_t>{0, 1, 0}, std::vector<uint64_t>{0, 1, 0}}}) {
    Case given(random, 1);
    while (given.steps != 3 || given.shift != 2 || given.is_static || given.pixels != 1)
      given = Case(random, 1);
    for (size_t t = 0; t < 3; ++t) given.sums[t * given.cp] = sums[t];
    const int32_t theta[] = {3, 3, 2};
    for (size_t k = 0; k < 3; ++k) given.theta[k * given.cp] = theta[k];
    for (const KernelTable& table : tables()) {
      Guarded<uint64_t> out(3 * given.stride);
      Guarded<int32_t> v(3 * given.cp);
      table.step_lifx_i32(given.tile(out, v, 0, 3));
      for (size_t t = 0; t < 3; ++t) CHECK(out[t * given.stride] == spikes[t]);
    }
  }
}

}  // namespace
}  // namespace snncore::test
