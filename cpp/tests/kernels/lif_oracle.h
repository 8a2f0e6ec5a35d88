// The integer neuron by its definition, independent of the kernels.
#pragma once

#include "kernels/lif_case.h"

namespace snncore::test {

inline int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0 ? 1 : 0); }

inline int64_t clamp_to(int64_t x, int64_t lo, int64_t hi) {
  if (x < lo) return lo;
  return x > hi ? hi : x;
}

// docs/format.md, with divisions for shifts.
inline int64_t leaked(Leak leak, int64_t param, int64_t v) {
  switch (leak) {
    case Leak::kNone:
      return v;
    case Leak::kQ15:
      return floor_div(v * param + 16384, 32768);
    case Leak::kHalfFloor:
      return floor_div(v, 2);
    case Leak::kShift:
      return v - floor_div(v, int64_t{1} << param);
    case Leak::kTz12:
      return v * param / 4096;  // C++ division rounds toward zero
  }
  return 0;
}

template <typename State>
struct Oracle {
  LifCase<State>& given;

  [[nodiscard]] int64_t saturated(int64_t x) const {
    return sizeof(State) == 4 ? clamp_to(x, INT32_MIN, INT32_MAX) : clamp_to(x, INT16_MIN, INT16_MAX);
  }

  bool step(int64_t& v, size_t t, size_t p, size_t ch) {
    const LifSettings& s = given.settings;
    const size_t at = (t * s.pixels + p) * given.cp + ch;
    const int64_t sum = given.sums[given.is_static ? p * given.cp + ch : at];
    int64_t i = floor_div(sum * given.m[ch] + given.c[ch], int64_t{1} << given.n[ch]);
    if (given.has_extra) i += given.extra[at];
    const int64_t h = saturated((s.leak_at_store ? v : leaked(s.leak, s.leak_param, v)) + saturated(i));
    const bool spike = h >= given.theta[ch];
    v = h;
    if (spike) v = s.subtract ? saturated(h - given.psi[ch]) : 0;
    if (s.leak_at_store) v = leaked(s.leak, s.leak_param, v);
    v = clamp_to(v, kStateLow<State>, kStateHigh<State>);
    return spike;
  }

  // Runs all steps; `state` holds the last V.
  LifResult run(std::vector<int64_t>& state) {
    const LifSettings& s = given.settings;
    LifResult r = given.result();
    for (size_t t = 0; t < s.steps; ++t) {
      for (size_t p = 0; p < s.pixels; ++p) {
        uint64_t* row = r.out.data() + (t * s.pixels + p) * given.out_stride();
        for (size_t w = 0; w < words_for(s.channels); ++w) row[w] = 0;
        for (size_t ch = 0; ch < s.channels; ++ch) {
          int64_t& v = state[p * given.cp + ch];
          if (step(v, t, p, ch)) set_bit(row, ch);
          r.record[(t * s.pixels + p) * given.cp + ch] = static_cast<int32_t>(v);
        }
      }
    }
    return r;
  }
};

}  // namespace snncore::test
