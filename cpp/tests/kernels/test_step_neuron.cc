#include <cmath>
#include <vector>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;
using kernels::NeuronRule;
using kernels::NeuronTile;
using kernels::NeuronValues;

template <typename Stage>
Stage any(Random& random, size_t count) {
  return static_cast<Stage>(random.size(0, count - 1));
}

// Any rule that the format allows.
NeuronRule any_rule(Random& random) {
  NeuronRule r;
  r.synapse = any<kernels::NeuronSynapse>(random, 5);
  r.charge = any<kernels::NeuronCharge>(random, 8);
  r.fire = any<kernels::NeuronFire>(random, 5);
  r.floor = any<kernels::NeuronFloor>(random, 3);
  if (r.fire == kernels::NeuronFire::kNone) return r;
  r.reset = any<kernels::NeuronReset>(random, 4);
  r.most = static_cast<float>(random.chance(0.3) ? 65535 : random.size(1, 9));
  const bool single = r.fire == kernels::NeuronFire::kAtLeast || r.fire == kernels::NeuronFire::kAbove;
  if (single && random.chance(0.5)) {
    r.old_voltage = random.chance(0.4);
    if (r.reset != kernels::NeuronReset::kNone) r.reset_step = any<kernels::NeuronResetStep>(random, 3);
    r.correct = !r.old_voltage && r.reset_step != kernels::NeuronResetStep::kSame &&
                r.reset != kernels::NeuronReset::kValue && random.chance(0.5);
  } else {
    r.refractory = any<kernels::NeuronRefractory>(random, 3);
    if (r.refractory != kernels::NeuronRefractory::kNone) r.refractory_steps = 3;
  }
  return r;
}

struct Case {
  size_t channels, pixels, steps, cp, words;
  NeuronRule rule;
  bool is_static;
  Guarded<float> currents;
  std::vector<Guarded<float>> values;
  std::vector<size_t> strides;

  Case(Random& random, size_t channels_in)
      : channels(channels_in),
        pixels(random.size(1, 4)),
        steps(random.size(1, 12)),
        cp(kernels::pad_channels(channels)),
        words(words_for(channels) + 1),
        rule(any_rule(random)),
        is_static(random.chance(0.3)),
        currents((is_static ? 1 : steps) * pixels * cp, 1) {
    const bool dyadic = random.chance(0.5);
    const auto number = [&](int64_t lo, int64_t hi) {  // in eighths
      return dyadic ? static_cast<float>(random.in(lo, hi)) / 8 : random.real() * static_cast<float>(hi) / 8;
    };
    for (size_t k = 0; k < currents.size(); ++k) currents[k] = number(-8, 24);
    for (size_t role = 0; role < 11; ++role) {
      const bool each = random.chance(0.3);
      strides.push_back(each ? cp : 0);
      values.emplace_back((each ? pixels : 1) * cp, 1);
      const bool positive = role == 0 || role == 6;  // rates that divide, thresholds of counts
      for (size_t k = 0; k < values[role].size(); ++k)
        values[role][k] = positive ? 0.5f + std::fabs(number(0, 8)) : number(-4, 8);
    }
  }

  NeuronValues value(size_t role) { return {values[role].data(), strides[role]}; }
};

struct Written {
  Guarded<uint64_t> spikes;
  Guarded<uint16_t> counts;
  Guarded<float> h, v, i, states[3];

  explicit Written(const Case& g)
      : spikes(g.steps * g.pixels * g.words, 1),
        counts(g.steps * g.pixels * g.channels, 1),
        h(g.steps * g.pixels * g.cp, 1),
        v(g.steps * g.pixels * g.cp, 1),
        i(g.steps * g.pixels * g.cp, 1),
        states{Guarded<float>(g.pixels * g.cp, 1), Guarded<float>(g.pixels * g.cp, 1),
               Guarded<float>(g.pixels * g.cp, 1)} {}

  [[nodiscard]] bool intact() const {
    return spikes.intact() && counts.intact() && h.intact() && v.intact() && i.intact() &&
           states[0].intact() && states[1].intact() && states[2].intact();
  }
};

void run(const KernelTable& table, Case& g, Written& to, size_t from, size_t until, bool keep) {
  using kernels::NeuronFire;
  NeuronTile t{};
  t.rule = &g.rule;
  size_t role = 0;
  for (NeuronValues* value : {&t.rate, &t.input_gain, &t.leak, &t.bias, &t.synapse_rate, &t.synapse_gain,
                              &t.threshold, &t.reset_value, &t.drop, &t.floor, &t.initial}) {
    *value = g.value(role++);
  }
  t.currents_t_stride = g.is_static ? 0 : g.pixels * g.cp;
  t.currents = g.currents.data() + from * t.currents_t_stride;
  t.steps = until - from;
  t.pixels = g.pixels;
  t.channels = g.channels;
  t.channels_padded = g.cp;
  if (keep) t.v = to.states[0].data(), t.i = to.states[1].data(), t.wait = to.states[2].data();
  t.first = from == 0;
  const bool counts = g.rule.fire == NeuronFire::kCount || g.rule.fire == NeuronFire::kRound;
  t.out_stride = g.rule.fire == NeuronFire::kNone ? g.cp : counts ? g.channels : g.words;
  t.out_t_stride = g.pixels * t.out_stride;
  if (g.rule.fire == NeuronFire::kNone) {
    t.values = to.h.data() + from * t.out_t_stride;
  } else if (counts) {
    t.counts = to.counts.data() + from * t.out_t_stride;
  } else {
    t.out = to.spikes.data() + from * t.out_t_stride;
  }
  t.record_t_stride = g.pixels * g.cp;
  t.record = to.v.data() + from * t.record_t_stride;
  t.record_current = to.i.data() + from * t.record_t_stride;
  table.step_neuron_f32(t);
}

bool same_channels(const Case& g, Guarded<float>& a, Guarded<float>& b) {
  for (size_t k = 0; k < a.size(); ++k) {
    if (k % g.cp < g.channels && !(a[k] == b[k])) return false;
  }
  return true;
}

bool same(const Case& g, Written& a, Written& b) {
  return a.spikes == b.spikes && a.counts == b.counts && same_channels(g, a.h, b.h) &&
         same_channels(g, a.v, b.v) && same_channels(g, a.i, b.i);
}

TEST_CASE("step_neuron_f32 gives the same bits on every level, in one go or in two") {
  Random random(47);
  for (const size_t channels : sizes()) {
    for (int repeat = 0; repeat < 30; ++repeat) {
      Case given(random, channels);
      const size_t cut = random.size(0, given.steps);
      Written expected(given);
      run(tables().front(), given, expected, 0, given.steps, false);
      for (const KernelTable& table : tables()) {
        Written whole(given), parts(given);
        run(table, given, whole, 0, given.steps, false);
        run(table, given, parts, 0, cut, true);
        run(table, given, parts, cut, given.steps, true);
        CAPTURE(table.isa);
        CAPTURE(channels);
        CAPTURE(static_cast<int>(given.rule.charge));
        CAPTURE(static_cast<int>(given.rule.fire));
        CHECK(same(given, whole, expected));
        CHECK(same(given, parts, expected));
        CHECK((whole.intact() && parts.intact()));
      }
    }
  }
}

}  // namespace
}  // namespace snncore::test
