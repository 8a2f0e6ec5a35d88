#include "graph/multipliers.h"

#include <algorithm>
#include <cmath>

namespace snncore::graph {
namespace {

// Below this a multiplier is too coarse (a relative error above 2^-10): the layer takes 64-bit products.
constexpr double kCoarse = 1024.0;

}  // namespace

double round_half_up(double x) { return std::floor(x + 0.5); }

size_t steps_of(const std::vector<const CurrentTerm*>& sums) {
  for (const CurrentTerm* sum : sums) {
    if (!sum->gain.empty()) return sum->gain.size() / sum->a.size();
  }
  return 1;
}

double offset_at(const std::vector<const CurrentTerm*>& sums, size_t t, size_t c) {
  double total = 0;
  for (const CurrentTerm* sum : sums) total += sum->d[c] * sum->gain_at(t, c);
  return total;
}

std::optional<Multiplier> fit_multiplier(const std::vector<const CurrentTerm*>& sums, size_t c, double gain,
                                         double unit, bool wide) {
  const double limit = std::ldexp(1.0, wide ? 62 : 31);
  const double most = wide ? kMaxInt32 : 32767.0;
  for (int n = 30; n >= 0; --n) {
    const double scale = std::ldexp(1.0, n) / unit;
    double largest = 0;
    bool fits = true;
    for (size_t t = 0; t < steps_of(sums) && fits; ++t) {
      const double offset = round_half_up(scale * (offset_at(sums, t, c) * gain));
      double bound = std::fabs(offset) + (n > 0 ? std::ldexp(1.0, n - 1) : 0.0), here = 0;
      for (const CurrentTerm* sum : sums) {
        const double m = round_half_up(scale * (sum->a[c] * sum->gain_at(t, c) * gain));
        here = std::max(here, m);
        bound += m * static_cast<double>(sum->a_max[c]);
      }
      fits = here <= most && std::fabs(offset) <= kMaxInt32 && bound < limit;
      largest = std::max(largest, here);
    }
    if (!fits) continue;
    if (!wide && n < 30 && largest < kCoarse && largest > 0) return std::nullopt;
    return Multiplier{n, scale};
  }
  return std::nullopt;
}

}  // namespace snncore::graph
