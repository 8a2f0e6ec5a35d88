#include "lsh/allowed.h"

#include <string>

#include "base/checked.h"
#include "kernels/table.h"

namespace snncore::lsh {

Allowed::Allowed(const Collection& all, const IndexFilter& filter) {
  first_.push_back(0);
  for (const Segment& segment : all.segments()) {
    first_.push_back(first_.back() + segment.size());
    bits_.push_back(segment.dead() == 0 ? nullptr : segment.living());
  }
  if (filter.kind == IndexFilter::Kind::kAll) {
    count_ = all.size();
    return;
  }
  for (const Segment& segment : all.segments()) own_.emplace_back(words_for(segment.size()));
  if (filter.kind == IndexFilter::Kind::kIds) {
    allow_ids(all, filter.values);
  } else {
    allow_slots(all, filter.values);
  }
  for (size_t s = 0; s < own_.size(); ++s) {
    bits_[s] = own_[s].data();
    count_ += static_cast<size_t>(kernels::kernels().popcount_b1(own_[s].data(), own_[s].size()));
  }
}

void Allowed::allow_ids(const Collection& all, std::span<const uint64_t> ids) {
  for (const uint64_t id : ids) {
    if (const auto place = all.find(id)) set_bit(own_[place->segment].data(), place->slot);
  }
}

void Allowed::allow_slots(const Collection& all, std::span<const uint64_t> words) {
  require(words.size() == words_for(first_.back()), ErrorCode::kInvalidArgument,
          "Index: expected a filter of " + std::to_string(words_for(first_.back())) + " words for " +
              std::to_string(first_.back()) + " slots, received " + std::to_string(words.size()));
  for (size_t s = 0; s < own_.size(); ++s) {
    const size_t slots = first_[s + 1] - first_[s];
    extract_bits(words.data(), first_[s], slots, own_[s].data());
    for (size_t w = 0; w < own_[s].size(); ++w) own_[s][w] &= all.segments()[s].living()[w];
  }
}

}  // namespace snncore::lsh
