// Real scales of sums as integer multipliers that share one shift.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/neuron_constants.h"

namespace snncore::graph {

inline constexpr double kMaxInt32 = 2147483647.0;

double round_half_up(double x);

/// How one channel is requantised: M = round(scale * a), C = offset, n = shift.
struct Multiplier {
  int shift = 0;
  double scale = 1, offset = 0;
};

/// The largest shift for which everything of channel c fits, where sums are worth a[c] * gain each and all
/// together d more, in units of `unit`. `wide`: in 64-bit products. Nothing: no shift fits, or (not wide)
/// only a coarse multiplier does.
std::optional<Multiplier> fit_multiplier(const std::vector<const CurrentTerm*>& sums, size_t c, double gain,
                                         double d, double unit, bool wide);

}  // namespace snncore::graph
