#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "../limits/limit.h"
#include "work.h"

namespace snncore::bench {
namespace {

// Operations per second; 0 where the level has none.
double limit_rate(std::string_view name, std::string_view level) {
  for (const Limit& limit : all_limits(1)) {
    if (limit.name == name && limit.level == level) return measure(limit, 1).best;
  }
  return 0;
}

// A level without a limit of its own has that of the level below.
double rate_at(const std::string& name, size_t level) {
  static std::map<std::pair<std::string, size_t>, double> known;
  const auto [place, fresh] = known.try_emplace({name, level}, 0);
  for (size_t i = level + 1; fresh && i-- > 0 && place->second == 0;) {
    place->second = limit_rate(name, kernels::level_name(i));
  }
  return place->second;
}

}  // namespace

double share_of_limit(const Work& work, size_t level, const Time& time) {
  const double rate = work.limit == nullptr ? 0 : rate_at(work.limit, level);
  return rate > 0 ? work.operations / time.best * 1e9 / rate : 0;
}

}  // namespace snncore::bench
