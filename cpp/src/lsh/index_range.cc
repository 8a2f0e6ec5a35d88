#include <algorithm>

#include "base/align.h"
#include "kernels/table.h"
#include "lsh/each.h"
#include "lsh/gather.h"
#include "lsh/index_impl.h"

namespace snncore::lsh {
namespace {

using kernels::kHammingBlock;

constexpr size_t kBlocks = 64;  // of a kernel's call

// All codes of a segment within a radius, by looking at all of them.
class RangeScan {
 public:
  RangeScan(const uint64_t* code, size_t bytes, size_t radius)
      : limit_(static_cast<uint32_t>(radius) + 1),
        bytes_(bytes),
        prepared_(kernels::kHammingPrepared * bytes),
        hits_(kBlocks * kHammingBlock + 1) {
    kernels::kernels().prepare_hamming_b1(reinterpret_cast<const uint8_t*>(code), bytes, 1, bytes,
                                          prepared_.data());
  }

  template <typename F>
  void operator()(const CodeBlocks& codes, Part part, F&& each) {
    const size_t end = part.end(codes.blocks());
    for (size_t block = part.begin(codes.blocks()); block < end; block += kBlocks) {
      const size_t blocks = std::min(kBlocks, end - block);
      size_t count = 0;
      const kernels::HammingScan range{codes.block(block), blocks, bytes_, prepared_.data(), 1, &limit_,
                                       hits_.size(),       0};
      kernels::kernels().hamming_b1b1_hits(range, hits_.data(), &count);
      for (size_t i = 0; i < count; ++i) {
        const size_t slot = block * kHammingBlock + hits_[i].code;
        if (slot < codes.size()) each(hits_[i].distance, slot);
      }
    }
  }

 private:
  uint32_t limit_;
  size_t bytes_;
  AlignedBuffer prepared_;
  std::vector<kernels::HammingHit> hits_;
};

// A part of the blocks of each segment.
void scan_within(const Collection& all, const Allowed& allowed, const uint64_t* code, size_t radius,
                 Part part, std::vector<Ranked>& list) {
  list.clear();
  RangeScan scan(code, all.layout().bits / 8, radius);
  for (size_t s = 0; s < all.segments().size(); ++s) {
    scan(all.segments()[s].codes(), part, [&](uint32_t distance, size_t slot) {
      if (allowed(s, slot)) list.push_back(ranked(distance, allowed.first(s) + slot));
    });
  }
}

std::vector<uint64_t> codes_of(const Index::Impl& index, std::span<const float> queries, size_t count) {
  std::vector<float> embedded(count * index.space.encoder_dim()), logits(count * index.bits());
  std::vector<uint64_t> codes(count * index.words());
  index.space.embed_queries(queries.data(), count, embedded.data());
  index.encoder->logits(embedded.data(), count, logits.data());
  sign_bits(logits.data(), count, index.bits(), codes.data());
  return codes;
}

}  // namespace

IndexRange range_search_index(const Index::Impl& index, std::span<const float> queries, size_t radius,
                              const IndexFilter& filter, Plan plan, size_t threads) {
  const size_t count = queries.size() / index.dim();
  const Collection& all = index.all;
  const Allowed allowed(all, filter);
  const std::vector<uint64_t> codes = codes_of(index, queries, count);
  std::vector<Gatherer> gatherers;
  for (size_t w = 0; w < threads; ++w) gatherers.emplace_back(all, allowed, index.damaged);
  const bool tables = plan != Plan::kScan && all.layout().tables.tables > 0;
  const size_t parts = std::max<size_t>(1, count == 0 ? 1 : threads / count);
  std::vector<std::vector<Ranked>> lists(count * parts);
  for_each_item(count * parts, threads, [&](size_t worker, size_t item) {
    const uint64_t* code = codes.data() + item / parts * index.words();
    const Part part{item % parts, parts};
    if (!tables || !gatherers[worker].within(code, radius, part, lists[item])) {
      scan_within(all, allowed, code, radius, part, lists[item]);
    }
  });
  index.require_sound();
  index.queries += static_cast<int64_t>(count);

  IndexRange range;
  range.first.push_back(0);
  for (size_t q = 0; q < count; ++q) {
    std::vector<Ranked>& list = lists[q * parts];
    for (size_t p = 1; p < parts; ++p) {
      list.insert(list.end(), lists[q * parts + p].begin(), lists[q * parts + p].end());
    }
    std::sort(list.begin(), list.end());
    for (const Ranked r : list) {
      const auto [segment, slot] = allowed.place(slot_of(r));
      range.ids.push_back(all.segments()[segment].id(slot));
      range.distances.push_back(static_cast<int32_t>(key_of(r)));
    }
    range.first.push_back(static_cast<int64_t>(range.ids.size()));
  }
  return range;
}

}  // namespace snncore::lsh
