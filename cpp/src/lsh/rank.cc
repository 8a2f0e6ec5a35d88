#include "lsh/rank.h"

#include <algorithm>
#include <cmath>

#include "kernels/table.h"
#include "lsh/distance.h"

namespace snncore::lsh {
namespace {

constexpr size_t kWider = 4;            // a stage gets so many times what the next, surer one gets
constexpr size_t kLeastExact = 64;      // exact distances, at least,
constexpr size_t kExactPerResult = 10;  // and for each result, unless the caller says
constexpr size_t kByteValues = 256;

// sums[byte][v]: the |logits| of the bits of v, from the lowest on.
void sum_bits(const float* logits, size_t bits, float* sums) {
  for (size_t byte = 0; byte < bits / 8; ++byte, logits += 8, sums += kByteValues) {
    sums[0] = 0;
    for (size_t v = 1; v < kByteValues; ++v) {
      const auto highest = static_cast<size_t>(std::bit_width(v) - 1);
      sums[v] = sums[v ^ size_t{1} << highest] + std::abs(logits[highest]);
    }
  }
}

float asymmetric(const uint64_t* a, const uint64_t* b, size_t words, const float* sums) {
  float sum = 0;
  for (size_t w = 0; w < words; ++w) {
    for (uint64_t different = a[w] ^ b[w], byte = 0; byte < 8; ++byte, sums += kByteValues) {
      sum += sums[different >> (8 * byte) & 0xff];
    }
  }
  return sum;
}

float exact(Metric metric, const float* q, const float* x, size_t dim) {
  if (metric == Metric::kL2) return std::sqrt(kernels::kernels().squares_f32f32_f32(q, x, dim));
  if (metric == Metric::kInnerProduct) return -dot(q, x, dim);
  const float lengths = length_of(q, dim) * length_of(x, dim);
  return lengths > 0 ? 1 - dot(q, x, dim) / lengths : 1;
}

}  // namespace

Stages::Stages(const Layout& layout, const SearchOptions& options, size_t slots) {
  results = std::min(static_cast<size_t>(options.k), slots);
  exact = layout.store != Store::kNone && options.rerank != 0;
  const size_t usual = std::max(kLeastExact, kExactPerResult * results);
  size_t kept = results;
  if (exact)
    kept = std::max(kept, options.rerank < 0 ? usual : std::min(static_cast<size_t>(options.rerank), slots));
  if (exact && layout.bytes_first) {
    bytes = std::min(kept, slots);
    kept *= kWider;
  }
  if (options.asymmetric) {
    asymmetric = std::min(kept, slots);
    kept = kWider * std::max(kept, kLeastExact);
  }
  codes = std::min(kept, slots);
}

Ranker::Ranker(const Collection& all, const Allowed& allowed, const Stages& stages)
    : all_(all),
      allowed_(allowed),
      stages_(stages),
      sums_(stages.asymmetric > 0 ? all.layout().bits / 8 * kByteValues : 0),
      row_(all.layout().dim),
      bytes_(all.layout().dim),
      code_(all.layout().words()) {}

float Ranker::distance(Ranked r) const noexcept {
  const bool real = stages_.exact || stages_.asymmetric > 0;
  return real ? from_order(key_of(r)) : static_cast<float>(key_of(r));
}

void Ranker::operator()(const Query& query, std::vector<Ranked>& list) {
  if (stages_.asymmetric > 0) rank_asymmetric(query, list);
  if (stages_.bytes > 0) rank_bytes(query, list);
  if (stages_.exact) rank_exact(query, list);
  keep_nearest(list, stages_.results);
}

void Ranker::rank_asymmetric(const Query& query, std::vector<Ranked>& list) {
  const size_t words = all_.layout().words();
  sum_bits(query.logits, all_.layout().bits, sums_.data());
  for (Ranked& r : list) {
    const auto [segment, slot] = allowed_.place(slot_of(r));
    const uint64_t* code = all_.segments()[segment].code(slot, code_.data());
    r = ranked(in_order(asymmetric(query.code, code, words, sums_.data())), slot_of(r));
  }
  select_nearest(list, stages_.asymmetric);
}

void Ranker::rank_bytes(const Query& query, std::vector<Ranked>& list) {
  const Layout& layout = all_.layout();
  const float* row = query.row;
  if (layout.metric == Metric::kCosine) {
    to_unit(row, layout.dim, row_.data());
    row = row_.data();
  }
  layout.grid.codes(row, layout.dim, bytes_.data());
  constexpr uint32_t kFar = 0x80000000;  // products become distances, none below 0
  const kernels::KernelTable& kernel = kernels::kernels();
  for (Ranked& r : list) {
    const auto [segment, slot] = allowed_.place(slot_of(r));
    const int8_t* codes = all_.segments()[segment].bytes().codes(slot);
    const int8_t* mine = bytes_.data();
    const uint32_t key = layout.metric == Metric::kL2
                             ? kernel.squares_i8i8_u32(mine, codes, layout.dim)
                             : kFar - static_cast<uint32_t>(kernel.dot_i8i8_i32(mine, codes, layout.dim));
    r = ranked(key, slot_of(r));
  }
  select_nearest(list, stages_.bytes);
}

void Ranker::rank_exact(const Query& query, std::vector<Ranked>& list) {
  const Layout& layout = all_.layout();
  constexpr size_t kAhead = 4;
  for (size_t i = 0; i < list.size(); ++i) {
    Ranked& r = list[i];
    if (i + kAhead < list.size()) {
      const auto [segment, slot] = allowed_.place(slot_of(list[i + kAhead]));
      all_.segments()[segment].vectors().prefetch(slot);
    }
    const auto [segment, slot] = allowed_.place(slot_of(r));
    const float* row = all_.segments()[segment].vectors().row(slot, row_.data());
    r = ranked(in_order(exact(layout.metric, query.row, row, layout.dim)), slot_of(r));
  }
}

}  // namespace snncore::lsh
