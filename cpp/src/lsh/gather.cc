#include "lsh/gather.h"

#include <algorithm>

#include "lsh/search.h"

namespace snncore::lsh {
namespace {

// C(n, r), or more than anybody visits.
size_t combinations(size_t n, size_t r) {
  size_t c = 1;
  for (size_t i = 0; i < r && c < kMaxSlots; ++i) c = c * (n - i) / (i + 1);
  return c;
}

}  // namespace

void scan(const Collection& all, const Allowed& allowed, const uint64_t* codes, size_t count, size_t width,
          size_t threads, std::vector<Ranked>* lists) {
  std::vector<int64_t> slots;
  std::vector<int32_t> distances;
  for (size_t q = 0; q < count; ++q) lists[q].clear();
  for (size_t s = 0; s < all.segments().size(); ++s) {
    const size_t k = std::min(width, all.segments()[s].size());
    slots.resize(count * k);
    distances.resize(count * k);
    search(all.segments()[s].codes(), allowed.bits(s), {codes, count}, k, threads, slots.data(),
           distances.data());
    for (size_t i = 0; i < count * k; ++i) {
      if (slots[i] < 0) continue;
      const size_t slot = allowed.first(s) + static_cast<size_t>(slots[i]);
      lists[i / k].push_back(ranked(static_cast<uint32_t>(distances[i]), slot));
    }
  }
  for (size_t q = 0; q < count; ++q) keep_nearest(lists[q], width);
}

Gatherer::Gatherer(const Collection& all, const Allowed& allowed, std::atomic<bool>& damaged)
    : all_(all),
      allowed_(allowed),
      damaged_(damaged),
      probes_(all.layout().tables),
      seen_(words_for(all.slots())) {}

void Gatherer::start(const uint64_t* code, std::vector<Ranked>& list) {
  code_ = code;
  found_.clear();
  list.clear();
  measured_ = 0;
}

void Gatherer::visit(size_t table, uint32_t key) {
  ++buckets_;
  for (size_t s = 0; s < all_.segments().size() && all_.sealed(s); ++s) {
    const Segment& segment = all_.segments()[s];
    for (const uint32_t slot : segment.tables().bucket(table, key, damaged_)) {
      if (slot >= segment.size()) {
        damaged_.store(true, std::memory_order_relaxed);
        return;
      }
      const size_t global = allowed_.first(s) + slot;
      if (get_bit(seen_.data(), global) || !allowed_(s, slot)) continue;
      set_bit(seen_.data(), global);
      found_.push_back(static_cast<uint32_t>(global));
    }
  }
}

void Gatherer::visit_open_segment() {
  const size_t last = all_.segments().size();
  if (last == 0 || all_.sealed(last - 1)) return;
  allowed_.for_each(last - 1, [&](size_t slot) {
    found_.push_back(static_cast<uint32_t>(allowed_.first(last - 1) + slot));
  });
}

// Distances of what was found since the last time.
void Gatherer::measure(std::vector<Ranked>& list) {
  for (size_t s = 0; s < all_.segments().size(); ++s) {
    const size_t first = allowed_.first(s), end = allowed_.first(s + 1);
    local_.clear();
    for (size_t i = measured_; i < found_.size(); ++i) {
      if (found_[i] >= first && found_[i] < end) local_.push_back(static_cast<uint32_t>(found_[i] - first));
    }
    distances_.resize(local_.size());
    all_.segments()[s].measure(code_, local_, distances_.data());
    for (size_t i = 0; i < local_.size(); ++i) list.push_back(ranked(distances_[i], first + local_[i]));
  }
  measured_ = found_.size();
}

void Gatherer::listed(const Query& query, size_t width, std::vector<Ranked>& list) {
  start(query.code, list);
  for (size_t s = 0; s < all_.segments().size(); ++s) {
    allowed_.for_each(
        s, [&](size_t slot) { found_.push_back(static_cast<uint32_t>(allowed_.first(s) + slot)); });
  }
  measure(list);
  candidates_ += found_.size();
  keep_nearest(list, width);
}

void Gatherer::multi_table(const Query& query, size_t probes, size_t width, std::vector<Ranked>& list) {
  start(query.code, list);
  probes_.start(query.logits, query.code);
  Probes::Probe probe{};
  for (size_t p = 0; p < probes && probes_.next(probe); ++p) visit(probe.table, probe.key);
  visit_open_segment();
  measure(list);
  for (const uint32_t slot : found_) seen_[slot / 64] = 0;
  candidates_ += found_.size();
  keep_nearest(list, width);
}

// Keys that differ from `home` in `flips` bits, by the next larger number with as many bits.
void Gatherer::visit_flips(size_t table, uint32_t home, size_t flips) {
  const auto end = static_cast<uint32_t>(all_.layout().tables.buckets());
  if (flips == 0) return visit(table, home);
  for (uint32_t mask = (uint32_t{1} << flips) - 1; mask < end;) {
    visit(table, home ^ mask);
    const uint32_t lowest = mask & (~mask + 1), carried = mask + lowest;
    mask = carried | ((mask ^ carried) >> 2) / lowest;
  }
}

bool Gatherer::affordable(size_t flips) const noexcept {
  const TableShape& shape = all_.layout().tables;
  return shape.tables > 0 && shape.tables * combinations(shape.key_bits, flips) <= all_.slots();
}

bool Gatherer::mih(const Query& query, size_t width, std::vector<Ranked>& list) {
  const TableShape& shape = all_.layout().tables;
  start(query.code, list);
  visit_open_segment();
  bool done = false;
  for (size_t flips = 0; flips <= shape.key_bits && !done && affordable(flips); ++flips) {
    for (size_t table = 0; table < shape.tables; ++table) {
      visit_flips(table, shape.key(query.code, table), flips);
    }
    measure(list);
    const Ranked beyond = ranked(static_cast<uint32_t>(shape.tables * (flips + 1)), 0);
    const auto proven = std::count_if(list.begin(), list.end(), [&](Ranked r) { return r < beyond; });
    done = static_cast<size_t>(proven) >= std::min(width, allowed_.count());
  }
  for (const uint32_t slot : found_) seen_[slot / 64] = 0;
  candidates_ += found_.size();
  keep_nearest(list, width);
  return done;
}

bool Gatherer::within(const uint64_t* code, size_t radius, std::vector<Ranked>& list) {
  const TableShape& shape = all_.layout().tables;
  start(code, list);
  const size_t most = shape.tables == 0 ? 0 : std::min(radius / shape.tables, shape.key_bits);
  for (size_t flips = 0; flips <= most; ++flips) {
    if (!affordable(flips)) return false;
  }
  visit_open_segment();
  for (size_t flips = 0; flips <= most; ++flips) {
    for (size_t table = 0; table < shape.tables; ++table) visit_flips(table, shape.key(code, table), flips);
  }
  measure(list);
  for (const uint32_t slot : found_) seen_[slot / 64] = 0;
  candidates_ += found_.size();
  std::erase_if(list, [&](Ranked r) { return key_of(r) > radius; });
  std::sort(list.begin(), list.end());
  return true;
}

}  // namespace snncore::lsh
