#include <algorithm>
#include <limits>

#include "lsh/each.h"
#include "lsh/gather.h"
#include "lsh/index_impl.h"
#include "lsh/rank.h"

namespace snncore::lsh {
namespace {

constexpr size_t kChunk = 512;             // queries that go through the stages together
constexpr size_t kChunkPlaces = 4 << 20;   // or fewer, if they keep many codes each
constexpr size_t kEncodeRows = 64;         // rows that are encoded together
constexpr size_t kScanWords = 10'000'000;  // up to here looking at all codes is fast enough
constexpr size_t kLeastPart = 4096;        // slots that are worth a thread
constexpr size_t kStrict = 20;             // a filter that keeps less than 1 in 20 is scanned,
constexpr size_t kStrictest = 32;          // and its codes looked up where it keeps less than 1 in 32

enum class Method : uint8_t { kListed, kScan, kMultiTable, kMih };

Method choose(const Layout& layout, const Allowed& allowed, Plan plan, size_t slots, size_t width) {
  const bool tables = layout.tables.tables > 0;
  if (plan == Plan::kMultiTable && tables) return Method::kMultiTable;
  if (plan == Plan::kMih && tables) return Method::kMih;
  if (allowed.count() * kStrictest <= slots || allowed.count() <= width) return Method::kListed;
  const bool strict = allowed.count() * kStrict < slots;
  const bool scan = plan == Plan::kScan || !tables || strict || slots * layout.words() < kScanWords;
  return scan ? Method::kScan : Method::kMultiTable;
}

StopRules rules_of(const TableShape& tables, const SearchOptions& options) {
  StopRules rules;
  rules.buckets = std::min(static_cast<size_t>(options.probes), tables.buckets()) * tables.tables;
  if (options.max_candidates >= 0) rules.candidates = static_cast<size_t>(options.max_candidates);
  rules.least = options.min_score;
  return rules;
}

class Search {
 public:
  Search(const Index::Impl& index, const SearchOptions& options, int64_t* ids, float* distances)
      : index_(index),
        options_(options),
        threads_(static_cast<size_t>(options.threads)),
        allowed_(index.all, options.filter),
        stages_(index.all.layout(), options, index.all.slots()),
        method_(choose(index.all.layout(), allowed_, options.plan, index.all.slots(), stages_.codes)),
        rules_(rules_of(index.all.layout().tables, options)),
        ids_(ids),
        distances_(distances) {
    for (size_t w = 0; w < threads_; ++w) {
      gatherers_.emplace_back(index.all, allowed_, index.damaged);
      rankers_.emplace_back(index.all, allowed_, stages_);
    }
  }

  void run(const float* rows, size_t count) {
    const size_t chunk = std::clamp<size_t>(kChunkPlaces / std::max<size_t>(stages_.codes, 1), 1, kChunk);
    for (size_t first = 0; first < count; first += chunk) {
      some(rows + first * index_.dim(), first, std::min(chunk, count - first));
    }
    index_.queries += static_cast<int64_t>(count);
    for (const Gatherer& g : gatherers_) {
      index_.candidates += static_cast<int64_t>(g.candidates());
      index_.buckets += static_cast<int64_t>(g.buckets());
    }
  }

 private:
  void some(const float* rows, size_t first, size_t count) {
    logits_.resize(count * index_.bits());
    codes_.resize(count * index_.words());
    const size_t parts = parts_for(count);
    lists_.resize(count * parts);
    for_each_item((count + kEncodeRows - 1) / kEncodeRows, threads_, [&](size_t, size_t part) {
      const size_t from = part * kEncodeRows;
      encode(rows, from, std::min(kEncodeRows, count - from));
    });
    if (method_ == Method::kScan) {
      scan(index_.all, allowed_, codes_.data(), count, stages_.codes, threads_, lists_.data());
      index_.candidates += static_cast<int64_t>(count * allowed_.count());
    }
    const auto query = [&](size_t q) {
      return Query{rows + q * index_.dim(), logits_.data() + q * index_.bits(),
                   codes_.data() + q * index_.words()};
    };
    if (parts > 1) {
      for_each_item(count * parts, threads_, [&](size_t worker, size_t item) {
        gather_part(gatherers_[worker], query(item / parts), {item % parts, parts}, lists_[item]);
      });
    }
    for_each_item(count, threads_, [&](size_t worker, size_t q) {
      std::vector<Ranked>& list = lists_[q * parts];
      if (parts > 1) {
        join(&list, parts);
        complete(query(q), list);
      } else {
        gather(gatherers_[worker], query(q), list);
      }
      rankers_[worker](query(q), list);
      write(rankers_[worker], list, first + q);
    });
  }

  // Parts of the slots, where queries are too few for all threads. Codes are counted over all slots, and
  // what mih has proven is.
  [[nodiscard]] size_t parts_for(size_t queries) const {
    const bool parted = method_ == Method::kMultiTable && rules_.candidates == SIZE_MAX;
    return parted ? std::clamp<size_t>(threads_ / queries, 1, index_.all.slots() / kLeastPart + 1) : 1;
  }

  void join(std::vector<Ranked>* lists, size_t parts) const {
    for (size_t p = 1; p < parts; ++p) lists[0].insert(lists[0].end(), lists[p].begin(), lists[p].end());
    select_nearest(lists[0], stages_.codes);
  }

  void encode(const float* rows, size_t from, size_t count) {
    std::vector<float> embedded(count * index_.space.encoder_dim());
    index_.space.embed_queries(rows + from * index_.dim(), count, embedded.data());
    float* logits = logits_.data() + from * index_.bits();
    index_.encoder->logits(embedded.data(), count, logits);
    sign_bits(logits, count, index_.bits(), codes_.data() + from * index_.words());
  }

  void gather_part(Gatherer& gatherer, const Query& query, Part part, std::vector<Ranked>& list) const {
    gatherer.multi_table(query, rules_, stages_.codes, part, list);
  }

  void gather(Gatherer& gatherer, const Query& query, std::vector<Ranked>& list) const {
    if (method_ == Method::kListed) gatherer.listed(query, stages_.codes, list);
    if (method_ == Method::kMih && !gatherer.mih(query, stages_.codes, list)) look_at_all(query, list);
    if (method_ != Method::kMultiTable) return;
    gather_part(gatherer, query, {}, list);
    complete(query, list);
  }

  // What some buckets do not hold, all codes do.
  void complete(const Query& query, std::vector<Ranked>& list) const {
    if (list.size() < std::min(stages_.results, allowed_.count())) look_at_all(query, list);
  }

  void look_at_all(const Query& query, std::vector<Ranked>& list) const {
    scan(index_.all, allowed_, query.code, 1, stages_.codes, 1, &list);
    index_.candidates += static_cast<int64_t>(allowed_.count());
  }

  void write(const Ranker& ranker, const std::vector<Ranked>& list, size_t query) {
    const auto k = static_cast<size_t>(options_.k);
    int64_t* ids = ids_ + query * k;
    float* distances = distances_ + query * k;
    std::fill_n(ids, k, -1);
    std::fill_n(distances, k, std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < list.size(); ++i) {
      const auto [segment, slot] = allowed_.place(slot_of(list[i]));
      ids[i] = static_cast<int64_t>(index_.all.segments()[segment].id(slot));
      distances[i] = ranker.distance(list[i]);
    }
  }

  const Index::Impl& index_;
  const SearchOptions& options_;
  size_t threads_;
  Allowed allowed_;
  Stages stages_;
  Method method_;
  StopRules rules_;
  int64_t* ids_;
  float* distances_;
  std::vector<float> logits_;
  std::vector<uint64_t> codes_;
  std::vector<std::vector<Ranked>> lists_;
  std::vector<Gatherer> gatherers_;
  std::vector<Ranker> rankers_;
};

}  // namespace

void search_index(const Index::Impl& index, std::span<const float> queries, const SearchOptions& options,
                  int64_t* ids, float* distances) {
  Search(index, options, ids, distances).run(queries.data(), queries.size() / index.dim());
  index.require_sound();
}

}  // namespace snncore::lsh
