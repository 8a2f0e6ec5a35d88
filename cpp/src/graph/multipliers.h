// Real scales of sums as integer multipliers that share one shift.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/neuron_constants.h"

namespace snncore::graph {

inline constexpr double kMaxInt32 = 2147483647.0;

double round_half_up(double x);

/// How many steps have a gain of their own; 1: all are alike.
size_t steps_of(const std::vector<const CurrentTerm*>& sums);

/// What all sums of channel c are worth together at step t, beside what they count.
double offset_at(const std::vector<const CurrentTerm*>& sums, size_t t, size_t c);

/// How one channel is requantised: M = round(scale * a), C = round(scale * d), n = shift.
struct Multiplier {
  int shift = 0;
  double scale = 1;
};

/// The largest shift for which everything of channel c fits at all steps, where sums are worth `gain` times
/// what they say, in units of `unit`. `wide`: in 64-bit products. Nothing: no shift fits, or (not wide) only
/// a coarse multiplier does.
std::optional<Multiplier> fit_multiplier(const std::vector<const CurrentTerm*>& sums, size_t c, double gain,
                                         double unit, bool wide);

}  // namespace snncore::graph
