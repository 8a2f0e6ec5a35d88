#include <utility>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;
using kernels::LifFloatTile;

struct Case {
  size_t channels, pixels, steps, cp, stride;
  bool is_static, subtract, strict;
  float decay, input_gain, threshold;
  Guarded<float> currents, start;

  Case(Random& random, size_t channels_in)
      : channels(channels_in),
        pixels(random.size(1, 9)),
        steps(random.size(1, 5)),
        cp(kernels::pad_channels(channels)),
        stride(words_for(channels) + 1),
        is_static(random.chance(0.3)),
        subtract(random.chance(0.5)),
        strict(random.chance(0.5)),
        decay(random.chance(0.3) ? 1.0f : 0.5f + 0.4f * random.real()),
        input_gain(random.chance(0.5) ? 1.0f : 0.5f + 0.4f * random.real()),
        threshold(random.chance(0.3) ? 0.5f : 0.3f + 0.4f * random.real()),
        currents((is_static ? 1 : steps) * pixels * cp, 1),
        start(pixels * cp) {
    for (size_t i = 0; i < currents.size(); ++i) {
      // Now and then exactly at the threshold, where >= and > part.
      currents[i] = random.chance(0.1) ? threshold : 2.0f * random.real();
    }
    for (size_t i = 0; i < start.size(); ++i) start[i] = random.chance(0.2) ? 0.0f : random.real();
  }

  LifFloatTile tile(Guarded<uint64_t>& out, Guarded<float>& record, size_t from, size_t to) {
    const size_t t_stride = is_static ? 0 : pixels * cp;
    return {currents.data() + from * t_stride,
            t_stride,
            decay,
            input_gain,
            threshold,
            subtract,
            strict,
            to - from,
            pixels,
            channels,
            cp,
            nullptr,
            out.data() + from * pixels * stride,
            stride,
            pixels * stride,
            record.data() + from * pixels * cp,
            pixels * cp};
  }

  // The written order, with the factors of 1 left out.
  bool step(float x, float& v) const {
    const float g = input_gain == 1.0f ? x : input_gain * x;
    float h = v + g;
    if (decay != 1.0f) {
      const float leaked = decay * v;
      h = leaked + g;
    }
    const bool spike = strict ? h > threshold : h >= threshold;
    v = subtract ? h - (spike ? threshold : 0.0f) : (spike ? 0.0f : h);
    return spike;
  }
};

void expect(Case& given, std::vector<float> v, Guarded<uint64_t>& out, Guarded<float>& record) {
  for (size_t t = 0; t < given.steps; ++t) {
    for (size_t p = 0; p < given.pixels; ++p) {
      for (size_t c = 0; c < given.channels; ++c) {
        const size_t i = p * given.cp + c;
        const float x = given.currents[(given.is_static ? 0 : t * given.pixels * given.cp) + i];
        if (given.step(x, v[i])) set_bit(out.data() + (t * given.pixels + p) * given.stride, c);
        record[t * given.pixels * given.cp + i] = v[i];
      }
    }
  }
}

bool same_values(Case& given, Guarded<float>& a, Guarded<float>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (i % given.cp < given.channels && std::memcmp(&a[i], &b[i], sizeof(float)) != 0) return false;
  }
  return true;
}

void check(const KernelTable& table, Case& given, size_t cut) {
  const size_t words = given.steps * given.pixels * given.stride,
               values = given.steps * given.pixels * given.cp;
  Guarded<uint64_t> expected(words, 1), out(words, 1), expected_kept(words, 1), kept(words, 1);
  Guarded<float> expected_v(values, 1), v(values, 1), expected_kept_v(values, 1), kept_v(values, 1);
  expect(given, std::vector<float>(given.start.size()), expected, expected_v);
  expect(given, {given.start.data(), given.start.data() + given.start.size()}, expected_kept,
         expected_kept_v);

  table.step_lif_f32(given.tile(out, v, 0, given.steps));
  Guarded<float> state(given.start.size(), 1);
  for (size_t i = 0; i < state.size(); ++i) state[i] = given.start[i];
  for (const auto& [from, to] : {std::pair{size_t{0}, cut}, std::pair{cut, given.steps}}) {
    LifFloatTile t = given.tile(kept, kept_v, from, to);
    t.state = state.data();
    table.step_lif_f32(t);
  }
  CAPTURE(table.isa);
  CAPTURE(given.channels);
  CHECK((out == expected && out.intact() && v.intact() && state.intact()));
  CHECK(kept == expected_kept);
  CHECK((same_values(given, v, expected_v) && same_values(given, kept_v, expected_kept_v)));
}

TEST_CASE("step_lif_f32 gives the bits of the written order on every level") {
  Random random(14);
  for (const size_t channels : sizes()) {
    for (int repeat = 0; repeat < 12; ++repeat) {
      Case given(random, channels);
      const size_t cut = random.size(0, given.steps);
      for (const KernelTable& table : tables()) check(table, given, cut);
    }
  }
}

}  // namespace
}  // namespace snncore::test
