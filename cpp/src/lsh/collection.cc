#include "lsh/collection.h"

#include <string>
#include <utility>

#include "base/checked.h"

namespace snncore::lsh {
namespace {

constexpr size_t kDeadPart = 5;  // a fifth dead: time to compact

}  // namespace

size_t Collection::slots() const noexcept {
  size_t slots = 0;
  for (const Segment& segment : segments_) slots += segment.size();
  return slots;
}

size_t Collection::size() const noexcept {
  size_t living = 0;
  for (const Segment& segment : segments_) living += segment.size() - segment.dead();
  return living;
}

std::optional<Collection::Place> Collection::find(uint64_t id) const {
  for (size_t s = segments_.size(); s-- > 0;) {
    if (const std::optional<size_t> slot = segments_[s].find(id)) return Place{s, *slot};
  }
  return std::nullopt;
}

void Collection::add(std::span<const uint64_t> ids, const float* rows, const uint64_t* codes,
                     size_t threads) {
  require(ids.size() <= kMaxSlots - slots(), ErrorCode::kInvalidArgument,
          "Index: expected at most " + std::to_string(kMaxSlots) + " vectors");
  if (ids.empty()) return;
  if (segments_.size() == sealed_) segments_.emplace_back(layout_);
  segments_.back().add(ids.data(), rows, codes, ids.size(), threads);
  if (segments_.back().size() >= kOpenSlots) seal(threads);
}

size_t Collection::remove(std::span<const uint64_t> ids) {
  size_t removed = 0;
  for (const uint64_t id : ids) {
    if (const std::optional<Place> place = find(id)) {
      segments_[place->segment].kill(place->slot);
      ++removed;
    }
  }
  drop_dead();
  return removed;
}

void Collection::drop_dead() {
  for (size_t s = segments_.size(); s-- > 0;) {
    if (segments_[s].dead() * kDeadPart > segments_[s].size()) replace(s, s + 1);
  }
}

void Collection::compact() {
  if (segments_.size() == 1 && segments_[0].dead() == 0 && sealed_ == 1) return;
  if (segments_.empty()) return;
  sealed_ = segments_.size();
  replace(0, segments_.size());
}

void Collection::seal(size_t threads) {
  const size_t last = segments_.size();
  size_t first = last - 1, slots = segments_[first].size();
  while (first > 0 && segments_[first - 1].size() <= 2 * slots) slots += segments_[--first].size();
  sealed_ = last;
  if (first + 1 == last) {
    segments_[first].seal(threads);
  } else {
    replace(first, last, threads);
  }
}

Segment Collection::merged(size_t first, size_t last) const {
  Segment one(layout_);
  size_t living = 0;
  for (size_t s = first; s < last; ++s) living += segments_[s].size() - segments_[s].dead();
  one.reserve(living);
  for (size_t s = first; s < last; ++s) one.add(segments_[s]);
  return one;
}

// Segments first..last - 1, which are sealed or the open one alone, become one, or none where all are dead.
void Collection::replace(size_t first, size_t last, size_t threads) {
  Segment one = merged(first, last);
  const bool seals = last <= sealed_, stays = one.size() > 0;
  if (seals && stays) one.seal(threads);
  const auto at = segments_.begin() + static_cast<std::ptrdiff_t>(first);
  if (stays) *at = std::move(one);
  segments_.erase(at + (stays ? 1 : 0), segments_.begin() + static_cast<std::ptrdiff_t>(last));
  if (seals) sealed_ -= last - first - (stays ? 1 : 0);
}

std::optional<Segment> Collection::sealed_copy_of_open() const {
  if (segments_.size() == sealed_) return std::nullopt;
  Segment copy = merged(sealed_, segments_.size());
  if (copy.size() == 0) return std::nullopt;
  copy.seal();
  return copy;
}

}  // namespace snncore::lsh
