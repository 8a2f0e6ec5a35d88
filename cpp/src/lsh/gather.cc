#include "lsh/gather.h"

#include <algorithm>
#include <array>

#include "lsh/search.h"

namespace snncore::lsh {
namespace {

constexpr size_t kProbesAhead = 16;  // buckets on their way from memory
constexpr size_t kMeasured = 512;    // codes on their way from memory, at least

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
  for (size_t q = 0; q < count; ++q) select_nearest(lists[q], width);
}

Gatherer::Gatherer(const Collection& all, const Allowed& allowed, std::atomic<bool>& damaged)
    : all_(all),
      allowed_(allowed),
      damaged_(damaged),
      probes_(all.layout().tables),
      seen_(words_for(all.slots())),
      found_(all.segments().size()) {}

void Gatherer::start(const uint64_t* code, Part part, std::vector<Ranked>& list) {
  code_ = code;
  part_ = part;
  begin_ = part.begin(all_.slots());
  end_ = part.end(all_.slots());
  list.clear();
  limit_ = ~Ranked{0};
}

// Forgets what was found.
void Gatherer::finish() {
  candidates_ += found_count_;
  found_count_ = measured_count_ = 0;
  for (size_t s = 0; s < found_.size(); ++s) {
    for (const uint32_t slot : found_[s].slots) seen_[(allowed_.first(s) + slot) / 64] = 0;
    found_[s].slots.clear();
    found_[s].measured = 0;
  }
}

void Gatherer::prefetch(std::span<const Probes::Probe> probes) const {
  for (const Probes::Probe& probe : probes) {
    for (size_t s = 0; s < found_.size() && all_.sealed(s); ++s) {
      __builtin_prefetch(all_.segments()[s].tables().bucket(probe.table, probe.key, damaged_).data());
    }
  }
}

void Gatherer::visit(size_t table, uint32_t key) {
  buckets_ += part_.index == 0 ? 1 : 0;
  for (size_t s = 0; s < found_.size() && all_.sealed(s); ++s) {
    take(s, all_.segments()[s].tables().bucket(table, key, damaged_));
  }
}

// What is not yet found, without a jump that nobody can foresee.
void Gatherer::take(size_t s, std::span<const uint32_t> bucket) {
  const Segment& segment = all_.segments()[s];
  const size_t first = allowed_.first(s);
  if (part_.count > 1) {
    const auto cut = [&](size_t slot) {
      return std::lower_bound(bucket.begin(), bucket.end(), slot < first ? 0 : slot - first);
    };
    bucket = {cut(begin_), std::max(cut(begin_), cut(end_))};
  }
  std::vector<uint32_t>& found = found_[s].slots;
  size_t count = found.size();
  const size_t before = count;
  found.resize(count + bucket.size());
  for (const uint32_t slot : bucket) {
    if (slot >= segment.size()) {
      damaged_.store(true, std::memory_order_relaxed);
      break;
    }
    segment.prefetch_code(slot);
    uint64_t& seen = seen_[(first + slot) / 64];
    const size_t bit = (first + slot) % 64;
    const bool fresh = (~seen >> bit & 1) & (allowed_(s, slot) ? 1 : 0);
    seen |= uint64_t{fresh} << bit;
    found[count] = slot;
    count += fresh ? 1 : 0;
  }
  found.resize(count);
  found_count_ += count - before;
}

void Gatherer::visit_open_segment() {
  const size_t last = all_.segments().size();
  if (last == 0 || all_.sealed(last - 1)) return;
  const size_t first = allowed_.first(last - 1);
  std::vector<uint32_t>& found = found_[last - 1].slots;
  allowed_.for_each(last - 1, [&](size_t slot) {
    if (first + slot >= begin_ && first + slot < end_) found.push_back(static_cast<uint32_t>(slot));
  });
  found_count_ += found.size();
}

// Distances of what was found since the last time.
void Gatherer::measure(std::vector<Ranked>& list) {
  for (size_t s = 0; s < found_.size(); ++s) {
    const std::span<const uint32_t> fresh = std::span(found_[s].slots).subspan(found_[s].measured);
    if (fresh.empty()) continue;
    distances_.resize(fresh.size());
    all_.segments()[s].measure(code_, fresh, distances_.data());
    size_t count = list.size();
    list.resize(count + fresh.size());
    for (size_t i = 0; i < fresh.size(); ++i) {
      list[count] = ranked(distances_[i], allowed_.first(s) + fresh[i]);
      count += list[count] < limit_ ? 1 : 0;
    }
    list.resize(count);
    found_[s].measured = found_[s].slots.size();
  }
  measured_count_ = found_count_;
}

// The same, where more than the `width` nearest are of no use.
void Gatherer::measure_nearest(size_t width, std::vector<Ranked>& list) {
  measure(list);
  if (list.size() < 2 * width) return;
  select_nearest(list, width);
  limit_ = *std::max_element(list.begin(), list.end());
}

void Gatherer::listed(const Query& query, size_t width, std::vector<Ranked>& list) {
  start(query.code, {}, list);
  for (size_t s = 0; s < found_.size(); ++s) {
    allowed_.for_each(s, [&](size_t slot) { found_[s].slots.push_back(static_cast<uint32_t>(slot)); });
    found_count_ += found_[s].slots.size();
  }
  measure(list);
  finish();
  select_nearest(list, width);
}

void Gatherer::multi_table(const Query& query, const StopRules& rules, size_t width, Part part,
                           std::vector<Ranked>& list) {
  start(query.code, part, list);
  probes_.start(query.logits, query.code);
  const float farthest = probes_.score_of(rules.least);
  std::array<Probes::Probe, kProbesAhead> ahead;
  for (size_t visited = 0; visited < rules.buckets && found_count_ < rules.candidates;) {
    const size_t most = std::min(kProbesAhead, rules.buckets - visited);
    size_t count = 0;
    while (count < most && probes_.next(ahead[count]) && ahead[count].score <= farthest) ++count;
    prefetch({ahead.data(), count});
    for (size_t i = 0; i < count && found_count_ < rules.candidates; ++i) {
      visit(ahead[i].table, ahead[i].key);
      if (found_count_ - measured_count_ >= kMeasured) measure_nearest(width, list);
    }
    visited += count;
    if (count < most) break;
  }
  visit_open_segment();
  measure(list);
  finish();
  select_nearest(list, width);
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
  start(query.code, {}, list);
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
  finish();
  select_nearest(list, width);
  return done;
}

bool Gatherer::within(const uint64_t* code, size_t radius, Part part, std::vector<Ranked>& list) {
  const TableShape& shape = all_.layout().tables;
  start(code, part, list);
  const size_t most = shape.tables == 0 ? 0 : std::min(radius / shape.tables, shape.key_bits);
  for (size_t flips = 0; flips <= most; ++flips) {
    if (!affordable(flips)) return false;
  }
  visit_open_segment();
  for (size_t flips = 0; flips <= most; ++flips) {
    for (size_t table = 0; table < shape.tables; ++table) visit_flips(table, shape.key(code, table), flips);
  }
  measure(list);
  finish();
  std::erase_if(list, [&](Ranked r) { return key_of(r) > radius; });
  return true;
}

}  // namespace snncore::lsh
