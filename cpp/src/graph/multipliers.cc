#include "graph/multipliers.h"

#include <algorithm>
#include <cmath>

namespace snncore::graph {
namespace {

// Below this a multiplier is too coarse (a relative error above 2^-10): the layer takes 64-bit products.
constexpr double kCoarse = 1024.0;

}  // namespace

double round_half_up(double x) { return std::floor(x + 0.5); }

std::optional<Multiplier> fit_multiplier(const std::vector<const CurrentTerm*>& sums, size_t c, double gain,
                                         double d, double unit, bool wide) {
  const double limit = std::ldexp(1.0, wide ? 62 : 31);
  const double most = wide ? kMaxInt32 : 32767.0;
  for (int n = 30; n >= 0; --n) {
    const double scale = std::ldexp(1.0, n) / unit, offset = round_half_up(scale * d);
    double bound = std::fabs(offset) + (n > 0 ? std::ldexp(1.0, n - 1) : 0.0), largest = 0;
    for (const CurrentTerm* sum : sums) {
      const double m = round_half_up(scale * (sum->a[c] * gain));
      largest = std::max(largest, m);
      bound += m * static_cast<double>(sum->a_max[c]);
    }
    if (largest > most || std::fabs(offset) > kMaxInt32 || bound >= limit) continue;
    if (!wide && n < 30 && largest < kCoarse && largest > 0) return std::nullopt;
    return Multiplier{n, scale, offset};
  }
  return std::nullopt;
}

}  // namespace snncore::graph
