#include "runtime/arena.h"

#include <algorithm>
#include <numeric>

#include "base/align.h"

namespace snncore::runtime {

size_t ArenaPlan::add(size_t bytes, size_t first, size_t last) {
  values_.push_back({align_up(bytes) + kTailPad, first, last, 0});
  return values_.size() - 1;
}

void ArenaPlan::extend(size_t id, size_t last) { values_[id].last = std::max(values_[id].last, last); }

size_t ArenaPlan::place() {
  std::vector<size_t> order(values_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return values_[a].bytes > values_[b].bytes; });
  std::vector<size_t> placed;
  size_t total = 0;
  for (const size_t id : order) {
    Value& v = values_[id];
    std::vector<const Value*> neighbours;
    for (const size_t other : placed) {
      const Value& o = values_[other];
      if (o.first <= v.last && v.first <= o.last) neighbours.push_back(&o);
    }
    std::ranges::sort(neighbours, {}, &Value::offset);
    for (const Value* o : neighbours) {
      if (v.offset + v.bytes <= o->offset) break;
      v.offset = std::max(v.offset, o->offset + o->bytes);
    }
    placed.push_back(id);
    total = std::max(total, v.offset + v.bytes);
  }
  return total;
}

}  // namespace snncore::runtime
