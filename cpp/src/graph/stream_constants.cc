#include "graph/stream_constants.h"

#include <cmath>

#include "base/checked.h"
#include "graph/multipliers.h"

namespace snncore::graph {
namespace {

int32_t checked_factor(const std::string& layer, double unit, double value) {
  require(std::fabs(value) <= kMaxInt32, ErrorCode::kInvalidArgument,
          layer + ": a spike does not fit a stream of unit " + std::to_string(unit) + ": take a larger unit");
  return static_cast<int32_t>(value);
}

}  // namespace

StreamConstants stream_constants(const std::string& layer, const std::vector<CurrentTerm>& terms,
                                 size_t channels, double unit) {
  StreamConstants out;
  out.factors.assign(terms.size(), std::vector<int32_t>(channels));
  out.c.assign(channels, 0);
  out.n.assign(channels, 0);
  std::vector<const CurrentTerm*> sums;
  for (size_t j = 0; j < terms.size(); ++j) {
    if (terms[j].is_sum) {
      sums.push_back(&terms[j]);
    } else {
      out.factors[j].assign(channels, checked_factor(layer, unit, round_half_up(terms[j].unit / unit)));
    }
  }
  for (size_t c = 0; c < channels && !sums.empty(); ++c) {
    for (const CurrentTerm* sum : sums) {
      require(std::isfinite(sum->a[c]) && std::isfinite(sum->d[c]), ErrorCode::kInvalidArgument,
              layer + ": channel " + std::to_string(c) + " has a scale or bias that is not finite");
    }
    const auto fit = fit_multiplier(sums, c, 1.0, unit, true);
    require(fit.has_value(), ErrorCode::kInvalidArgument,
            layer + ": channel " + std::to_string(c) + " does not fit a stream of unit " +
                std::to_string(unit) + ": take a larger unit");
    out.n[c] = fit->shift;
    out.c[c] = static_cast<int32_t>(round_half_up(fit->scale * offset_at(sums, 0, c)));
    for (size_t j = 0; j < terms.size(); ++j) {
      if (terms[j].is_sum)
        out.factors[j][c] = static_cast<int32_t>(round_half_up(fit->scale * terms[j].a[c]));
    }
  }
  return out;
}

}  // namespace snncore::graph
