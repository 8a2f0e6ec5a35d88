// One random tile for the integer neurons, owned, and what a kernel made of it.
#pragma once

#include "kernels/common.h"

namespace snncore::test {

using kernels::Leak;
using kernels::LifTile;

template <typename State>
inline constexpr int64_t kStateLow = sizeof(State) == 1   ? -127
                                     : sizeof(State) == 2 ? INT16_MIN
                                                          : INT32_MIN;
template <typename State>
inline constexpr int64_t kStateHigh = sizeof(State) == 1   ? 127
                                      : sizeof(State) == 2 ? INT16_MAX
                                                           : INT32_MAX;

struct LifSettings {
  size_t channels = 1, pixels = 1, steps = 1;
  Leak leak = Leak::kNone;
  int32_t leak_param = 0;
  bool leak_at_store = false, subtract = false;
};

struct LifResult {
  Guarded<uint64_t> out;
  Guarded<int32_t> record;
};

/// Values near the limits of `State` as often as ordinary ones.
template <typename State>
int64_t near_limits(Random& random, int64_t lo, int64_t hi) {
  const int64_t limits[] = {lo, lo + 1, hi - 1, hi, -1, 0, 1, INT16_MIN, INT16_MAX};
  const int64_t v = random.chance(0.5) ? random.pick(limits) : random.in(lo, hi);
  return v < lo ? lo : v > hi ? hi : v;
}

template <typename State>
class LifCase {
 public:
  LifCase(Random& random, const LifSettings& s)
      : settings(s),
        cp(kernels::pad_channels(s.channels)),
        is_static(random.chance(0.3)),
        sums((is_static ? 1 : s.steps) * s.pixels * cp, 3),
        extra(s.steps * s.pixels * cp, 1),
        m(cp),
        c(cp),
        n(cp),
        theta(cp),
        psi(cp),
        start(s.pixels * cp),
        has_extra(random.chance(0.3)) {
    fill(random);
  }

  LifTile tile() {
    LifTile t{};
    t.sums = sums.data();
    t.sums_t_stride = is_static ? 0 : settings.pixels * cp;
    t.extra = has_extra ? extra.data() : nullptr;
    t.m = m.data();
    t.c = c.data();
    t.n = n.data();
    t.theta = theta.data();
    t.psi = settings.subtract ? psi.data() : nullptr;
    t.leak = settings.leak;
    t.leak_param = settings.leak_param;
    t.leak_at_store = settings.leak_at_store;
    t.steps = settings.steps;
    t.pixels = settings.pixels;
    t.channels = settings.channels;
    t.channels_padded = cp;
    return t;
  }

  // What a neuron gets, with a division for the shift.
  [[nodiscard]] int64_t current(size_t t, size_t p, size_t ch) {
    const size_t at = (t * settings.pixels + p) * cp + ch;
    const int64_t product = int64_t{sums[is_static ? p * cp + ch : at]} * m[ch] + c[ch];
    const int64_t by = int64_t{1} << n[ch];
    const int64_t floored = product / by - (product % by != 0 && product < 0 ? 1 : 0);
    return floored + (has_extra ? extra[at] : 0);
  }

  // Whether the tile may say that its sums are short.
  [[nodiscard]] bool short_sums() {
    for (size_t i = 0; i < sums.size(); ++i) {
      if (sums[i] < INT16_MIN || sums[i] > INT16_MAX) return false;
    }
    return true;
  }

  // Rows of spikes are one word longer than needed: the word behind them must stay.
  [[nodiscard]] size_t out_stride() const { return words_for(settings.channels) + 1; }

  LifResult result() {
    LifResult r{Guarded<uint64_t>(settings.steps * settings.pixels * out_stride(), 1),
                Guarded<int32_t>(settings.steps * settings.pixels * cp, 1)};
    for (size_t i = 0; i < r.out.size(); ++i) r.out[i] = kUntouched;
    return r;
  }

  void point_at(LifTile& t, LifResult& r) const {
    t.out = r.out.data();
    t.out_stride = out_stride();
    t.out_t_stride = settings.pixels * out_stride();
    t.record = r.record.data();
    t.record_t_stride = settings.pixels * cp;
  }

  static constexpr uint64_t kUntouched = 0x5a5a5a5a5a5a5a5a;

  LifSettings settings;
  size_t cp;
  bool is_static;
  Guarded<int32_t> sums, extra, m, c, n, theta, psi;
  Guarded<State> start;
  bool has_extra;

 private:
  // Keeps |sum * m + c| below 2^31 and |current| + |extra| too, as the planner proves.
  void fill(Random& random) {
    const bool plain = random.chance(0.5);  // m = 1, n = 0: currents over the whole range
    const int32_t shifts[] = {0, 1, 4, 15, 30};
    const int64_t theta_limit = sizeof(State) == 4 ? INT32_MAX : INT16_MAX;
    const int64_t psis[] = {0, 1, 127, 4096, 32767, 32768, 40000, 65535, 65536, INT32_MAX};
    for (size_t i = 0; i < cp; ++i) {  // the padding too: it may reach any membrane, and must not fire
      m[i] = plain ? 1 : static_cast<int32_t>(random.in(0, 32767));
      n[i] = plain ? 0 : random.pick(shifts);
      c[i] = plain ? 0 : static_cast<int32_t>(random.in(-1000000, 1000000));
      const auto limit = static_cast<int32_t>(near_limits<State>(random, -theta_limit, theta_limit));
      theta[i] = i < settings.channels ? limit : INT32_MAX;
      psi[i] = static_cast<int32_t>(random.pick(psis));
    }
    const int64_t high = plain ? (has_extra ? 1 << 30 : INT32_MAX) : INT16_MAX;
    const int64_t low = plain ? -high : INT16_MIN;
    for (size_t i = 0; i < sums.size(); ++i) {
      const int64_t near = near_limits<State>(random, low, high), small = random.in(-3000, 3000);
      sums[i] = static_cast<int32_t>(random.chance(0.3) ? near : small);
    }
    for (size_t i = 0; i < extra.size(); ++i) {
      extra[i] = static_cast<int32_t>(random.in(-40000, 40000));
    }
    for (size_t i = 0; i < start.size(); ++i) {
      const int64_t v = near_limits<State>(random, kStateLow<State>, kStateHigh<State>);
      start[i] = i % cp < settings.channels ? static_cast<State>(v) : State{0};
    }
  }
};

}  // namespace snncore::test
