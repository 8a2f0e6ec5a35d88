#include <algorithm>
#include <utility>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::CubaTile;
using kernels::KernelTable;

constexpr int64_t kHalf24 = int64_t{1} << 23;

int32_t any_decay(Random& random) {
  return static_cast<int32_t>(random.chance(0.2) ? 4096 * random.size(0, 1) : random.size(0, 4096));
}

struct Case {
  size_t channels, pixels, steps, cp, stride;
  int32_t current_decay, decay, input_shift;
  bool is_static;
  Guarded<int32_t> currents, theta, bias;

  Case(Random& random, size_t channels_in)
      : channels(channels_in),
        pixels(random.size(1, 5)),
        steps(random.size(1, 40)),
        cp(kernels::pad_channels(channels)),
        stride(words_for(channels) + 1),
        current_decay(any_decay(random)),
        decay(any_decay(random)),
        input_shift(static_cast<int32_t>(random.size(0, 8))),
        is_static(random.chance(0.3)),
        currents((is_static ? 1 : steps) * pixels * cp, 1),
        theta(cp),
        bias(cp) {
    const int64_t habit = int64_t{1} << random.size(4, 23), most = std::min(kHalf24 >> input_shift, habit);
    for (size_t i = 0; i < currents.size(); ++i) currents[i] = static_cast<int32_t>(random.in(-most, most));
    for (size_t c = 0; c < cp; ++c) {
      theta[c] = c < channels ? static_cast<int32_t>(random.in(1, kHalf24)) : INT32_MAX;
      bias[c] = static_cast<int32_t>(random.in(-habit, habit));
    }
  }

  CubaTile tile(Guarded<uint64_t>& out, Guarded<int32_t>& v, Guarded<int32_t>& i, size_t from, size_t to) {
    const size_t t_stride = is_static ? 0 : pixels * cp;
    return {.currents = currents.data() + from * t_stride,
            .currents_t_stride = t_stride,
            .current_decay = current_decay,
            .decay = decay,
            .input_shift = input_shift,
            .theta = theta.data(),
            .bias = bias.data(),
            .steps = to - from,
            .pixels = pixels,
            .channels = channels,
            .channels_padded = cp,
            .state = nullptr,
            .out = out.data() + from * pixels * stride,
            .out_stride = stride,
            .out_t_stride = pixels * stride,
            .record = v.data() + from * pixels * cp,
            .record_current = i.data() + from * pixels * cp,
            .record_t_stride = pixels * cp};
  }
};

// The rule in exact integers: division toward zero, i modulo 2^24, v clamped.
void expect(Case& given, Guarded<uint64_t>& out, Guarded<int32_t>& vs, Guarded<int32_t>& is) {
  for (size_t p = 0; p < given.pixels; ++p) {
    for (size_t c = 0; c < given.channels; ++c) {
      int64_t i = 0, v = 0;
      for (size_t t = 0; t < given.steps; ++t) {
        const size_t at = (t * given.pixels + p) * given.cp + c;
        const size_t from = (given.is_static ? 0 : t * given.pixels * given.cp) + p * given.cp + c;
        i = i * given.current_decay / 4096 + given.currents[from] * (int64_t{1} << given.input_shift);
        while (i > kHalf24) i -= 2 * kHalf24;
        while (i <= -kHalf24) i += 2 * kHalf24;
        v = std::clamp(v * given.decay / 4096 + i + given.bias[c], 1 - kHalf24, kHalf24 - 1);
        if (v >= given.theta[c]) {
          set_bit(out.data() + (t * given.pixels + p) * given.stride, c);
          v = 0;
        }
        vs[at] = static_cast<int32_t>(v);
        is[at] = static_cast<int32_t>(i);
      }
    }
  }
}

void check(const KernelTable& table, Case& given, size_t cut) {
  const size_t words = given.steps * given.pixels * given.stride;
  const size_t values = given.steps * given.pixels * given.cp;
  Guarded<uint64_t> expected(words, 1), out(words, 1), kept(words, 1);
  Guarded<int32_t> expected_v(values, 1), expected_i(values, 1), v(values, 1), i(values, 1);
  Guarded<int32_t> kept_v(values, 1), kept_i(values, 1), state(2 * given.pixels * given.cp, 1);
  expect(given, expected, expected_v, expected_i);
  table.step_cuba_i32(given.tile(out, v, i, 0, given.steps));
  for (const auto& [from, to] : {std::pair{size_t{0}, cut}, std::pair{cut, given.steps}}) {
    CubaTile t = given.tile(kept, kept_v, kept_i, from, to);
    t.state = state.data();
    table.step_cuba_i32(t);
  }
  bool same = out == expected && kept == expected;
  same = same && out.intact() && v.intact() && i.intact() && state.intact();
  for (size_t k = 0; k < values; ++k) {
    if (k % given.cp >= given.channels) continue;
    same = same && v[k] == expected_v[k] && kept_v[k] == expected_v[k];
    same = same && i[k] == expected_i[k] && kept_i[k] == expected_i[k];
  }
  CAPTURE(table.isa);
  CAPTURE(given.channels);
  CHECK(same);
}

TEST_CASE("step_cuba_i32 equals exact arithmetic on every level") {
  Random random(31);
  for (const size_t channels : sizes()) {
    for (int repeat = 0; repeat < 10; ++repeat) {
      Case given(random, channels);
      const size_t cut = random.size(0, given.steps);
      for (const KernelTable& table : tables()) check(table, given, cut);
    }
  }
}

}  // namespace
}  // namespace snncore::test
