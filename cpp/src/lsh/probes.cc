#include "lsh/probes.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

namespace snncore::lsh {
namespace {

// Never NaN, whatever an encoder gives: scores are to be sorted.
float square(float logit) {
  const float squared = logit * logit;
  return squared < std::numeric_limits<float>::max() ? squared : std::numeric_limits<float>::max();
}

}  // namespace

bool Probes::later(const Entry& a, const Entry& b) noexcept {
  return std::tie(a.score, a.table, a.flips) > std::tie(b.score, b.table, b.flips);
}

void Probes::push(const Entry& entry) {
  heap_.push_back(entry);
  std::push_heap(heap_.begin(), heap_.end(), later);
}

void Probes::start(const float* logits, const uint64_t* code) {
  heap_.clear();
  for (uint32_t table = 0; table < shape_.tables; ++table) {
    Bit* bits = order_.data() + table * shape_.key_bits;
    for (size_t i = 0; i < shape_.key_bits; ++i) {
      bits[i] = {square(logits[table * shape_.key_bits + i]), uint32_t{1} << i};
    }
    std::sort(bits, bits + shape_.key_bits, [](const Bit& a, const Bit& b) {
      return std::tie(a.square, a.mask) < std::tie(b.square, b.mask);
    });
    push({0, 0, table, 0, shape_.key(code, table)});
  }
}

float Probes::score_of(float least) const noexcept {
  if (least <= 0) return std::numeric_limits<float>::infinity();
  double sum = 0;
  for (const Bit& bit : order_) sum += double{bit.square};
  return static_cast<float>((1 - double{least}) * sum / static_cast<double>(shape_.tables));
}

// The home bucket leads to the flip of the least sure bit; a set of flips to the set with its highest bit
// moved up, and to the set with the next bit added. So each set is reached once, after all that come before
// it.
bool Probes::next(Probe& probe) {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Entry e = heap_.back();
  heap_.pop_back();
  probe = {e.score, e.table, e.key};
  const size_t up = static_cast<size_t>(std::bit_width(e.flips));  // the bit above the highest flip
  if (up == shape_.key_bits) return true;
  const Bit* bits = order_.data() + e.table * shape_.key_bits;
  const uint32_t flip = uint32_t{1} << up;
  push({e.score + bits[up].square, e.score, e.table, e.flips | flip, e.key ^ bits[up].mask});
  if (up > 0) {
    push({e.below + bits[up].square, e.below, e.table, e.flips ^ flip ^ flip >> 1,
          e.key ^ bits[up].mask ^ bits[up - 1].mask});
  }
  return true;
}

}  // namespace snncore::lsh
