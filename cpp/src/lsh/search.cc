#include "lsh/search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/align.h"
#include "base/bits.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "lsh/nearest.h"

namespace snncore::lsh {
namespace {

using kernels::HammingHit;
using kernels::HammingScan;
using kernels::kHammingBlock;
using kernels::kHammingPrepared;
using kernels::kHammingTile;

constexpr size_t kRangeBytes = 65536;     // codes that stay in the cache while all queries of a group pass
constexpr size_t kRangeBlocks = 64;       // or fewer, if codes are short
constexpr size_t kGroup = 512;            // queries that share a pass over the codes, at most
constexpr size_t kGroupBytes = 524288;    // of their prepared bits
constexpr size_t kGroupPlaces = 8 << 20;  // of their candidates
constexpr size_t kLeastShare = 16;        // queries that are worth a pass of their own

size_t ceil_div(size_t a, size_t b) { return (a + b - 1) / b; }

// How the work is cut: groups of queries, and the codes into parts where queries are too few for all threads.
struct Cut {
  size_t group, groups, parts;

  Cut(const CodeBlocks& codes, size_t queries, size_t k, size_t threads) {
    const size_t prepared = codes.bytes() * kHammingPrepared / kHammingTile;
    const size_t fit =
        std::min({kGroup, std::max(kHammingTile, kGroupBytes / prepared), kGroupPlaces / Nearest::room(k)});
    const size_t share = std::max(kLeastShare, ceil_div(queries, threads));
    group = std::max<size_t>(1, std::min(fit, ceil_div(share, kHammingTile) * kHammingTile));
    groups = ceil_div(queries, group);
    parts = std::min(ceil_div(threads, groups), ceil_div(codes.blocks(), kRangeBlocks));
  }
  [[nodiscard]] size_t tasks() const { return groups * parts; }
};

// After how many bytes of random codes a whole tile is likely past its limits: the mean less 3.5 deviations.
// Only the time depends on it.
size_t probe_after(size_t bytes, uint32_t limit) {
  if (limit >= 4 * bytes) return 0;
  const double root = (4.95 + std::sqrt(24.5 + 16.0 * limit)) / 8;
  const auto after = static_cast<size_t>(root * root) + 1;
  return after * 4 <= bytes * 3 ? after : 0;
}

// One worker's group of queries on its way through the codes.
class Pass {
 public:
  Pass(const CodeBlocks& codes, const uint64_t* allowed, const Cut& cut, size_t k)
      : codes_(codes),
        allowed_(allowed),
        k_(k),
        range_blocks_(std::clamp<size_t>(kRangeBytes / (codes.bytes() * kHammingBlock), 1, kRangeBlocks)),
        hit_stride_(range_blocks_ * kHammingBlock + 1),
        kept_(cut.group * Nearest::room(k)),
        nearest_(cut.group),
        limits_(cut.group),
        hits_(kHammingTile * hit_stride_),
        prepared_(ceil_div(cut.group, kHammingTile) * tile_bytes()) {}

  void start(const uint64_t* rows, size_t count) {
    count_ = count;
    const size_t row_bytes = ceil_div(codes_.bytes(), sizeof(uint64_t)) * sizeof(uint64_t);
    for (size_t q = 0; q < count; q += kHammingTile) {
      kernels::kernels().prepare_hamming_b1(reinterpret_cast<const uint8_t*>(rows) + q * row_bytes, row_bytes,
                                            std::min(kHammingTile, count - q), codes_.bytes(), prepared(q));
    }
    for (size_t q = 0; q < count; ++q) nearest_[q] = Nearest(kept_.data() + q * Nearest::room(k_), k_);
  }

  // Short ranges first: until limits are known every code is a hit.
  void scan(size_t first, size_t last) {
    for (size_t blocks = 1; first < last; first += blocks, blocks = std::min(2 * blocks, range_blocks_)) {
      blocks = std::min(blocks, last - first);
      for (size_t q = 0; q < count_; q += kHammingTile) {
        scan_tile(first, blocks, q, std::min(kHammingTile, count_ - q));
      }
    }
  }

  Nearest& nearest(size_t query) { return nearest_[query]; }

 private:
  [[nodiscard]] size_t tile_bytes() const noexcept { return kHammingPrepared * codes_.bytes(); }
  [[nodiscard]] std::byte* prepared(size_t query) const noexcept {
    return prepared_.data() + query / kHammingTile * tile_bytes();
  }

  void scan_tile(size_t first, size_t blocks, size_t query, size_t queries) {
    uint32_t farthest = 0;
    for (size_t q = query; q < query + queries; ++q) {
      limits_[q] = nearest_[q].limit();
      farthest = std::max(farthest, limits_[q]);
    }
    if (farthest == 0) return;
    size_t counts[kHammingTile];
    const HammingScan range{codes_.block(first),
                            blocks,
                            codes_.bytes(),
                            prepared(query),
                            queries,
                            limits_.data() + query,
                            hit_stride_,
                            probe_after(codes_.bytes(), farthest)};
    kernels::kernels().hamming_b1b1_hits(range, hits_.data(), counts);
    for (size_t q = 0; q < queries; ++q) {
      offer(first * kHammingBlock, hits_.data() + q * hit_stride_, counts[q], nearest_[query + q]);
    }
  }

  void offer(size_t first_id, const HammingHit* hits, size_t count, Nearest& nearest) {
    for (size_t i = 0; i < count; ++i) {
      const size_t id = first_id + hits[i].code;
      if (id >= codes_.size()) return;  // unused lanes of the last block
      if (allowed_ == nullptr || get_bit(allowed_, id)) nearest.offer(hits[i].distance, id);
    }
  }

  const CodeBlocks& codes_;
  const uint64_t* allowed_;
  size_t k_, range_blocks_, hit_stride_, count_ = 0;
  std::vector<Candidate> kept_;
  std::vector<Nearest> nearest_;
  std::vector<uint32_t> limits_;
  std::vector<HammingHit> hits_;
  AlignedBuffer prepared_;
};

class Search {
 public:
  Search(const CodeBlocks& codes, const uint64_t* allowed, const Queries& queries, size_t k, size_t threads,
         int64_t* ids, int32_t* distances)
      : codes_(codes),
        queries_(queries),
        row_words_(ceil_div(codes.bytes(), sizeof(uint64_t))),
        columns_(k),
        k_(std::min(k, codes.size())),
        cut_(codes, queries.count, k_, threads),
        ids_(ids),
        distances_(distances) {
    const size_t workers = std::min(threads, cut_.tasks());
    passes_.reserve(workers);
    for (size_t w = 0; w < workers; ++w) passes_.emplace_back(codes, allowed, cut_, k_);
    if (cut_.parts > 1) partial_.assign(queries.count * cut_.parts * k_, ~Candidate{0});
  }

  void run() {
    const auto some = [](void* self, size_t worker, size_t task, size_t end) noexcept {
      for (; task < end; ++task) static_cast<Search*>(self)->one(worker, task);
    };
    run_on_workers(passes_.size(), cut_.tasks(), some, this);
    for (size_t q = 0; q < queries_.count && cut_.parts > 1; ++q) merge(q);
  }

 private:
  void one(size_t worker, size_t task) {
    Pass& pass = passes_[worker];
    const size_t group = task / cut_.parts, part = task % cut_.parts;
    const size_t first = group * cut_.group, count = std::min(cut_.group, queries_.count - first);
    pass.start(queries_.rows + first * row_words_, count);
    pass.scan(codes_.blocks() * part / cut_.parts, codes_.blocks() * (part + 1) / cut_.parts);
    for (size_t q = 0; q < count; ++q) {
      Nearest& nearest = pass.nearest(q);
      const size_t found = nearest.finish();
      if (cut_.parts == 1) {
        write(first + q, nearest.data(), found);
      } else {
        std::copy_n(nearest.data(), found, partial_.data() + ((first + q) * cut_.parts + part) * k_);
      }
    }
  }

  // The parts' lists; what they lack sorts behind everything.
  void merge(size_t query) {
    Candidate* first = partial_.data() + query * cut_.parts * k_;
    std::sort(first, first + cut_.parts * k_);
    write(query, first, static_cast<size_t>(std::lower_bound(first, first + k_, ~Candidate{0}) - first));
  }

  void write(size_t query, const Candidate* found, size_t count) noexcept {
    int64_t* ids = ids_ + query * columns_;
    int32_t* distances = distances_ + query * columns_;
    for (size_t i = 0; i < columns_; ++i) {
      ids[i] = i < count ? static_cast<int64_t>(id_of(found[i])) : -1;
      distances[i] =
          i < count ? static_cast<int32_t>(distance_of(found[i])) : std::numeric_limits<int32_t>::max();
    }
  }

  const CodeBlocks& codes_;
  const Queries queries_;
  size_t row_words_, columns_, k_;
  Cut cut_;
  int64_t* ids_;
  int32_t* distances_;
  std::vector<Pass> passes_;        // one a worker
  std::vector<Candidate> partial_;  // [query][part][k]
};

}  // namespace

void search(const CodeBlocks& codes, const uint64_t* allowed, const Queries& queries, size_t k,
            size_t threads, int64_t* ids, int32_t* distances) {
  if (codes.size() == 0 || queries.count == 0) {
    std::fill_n(ids, queries.count * k, -1);
    std::fill_n(distances, queries.count * k, std::numeric_limits<int32_t>::max());
    return;
  }
  Search(codes, allowed, queries, k, threads, ids, distances).run();
}

}  // namespace snncore::lsh
