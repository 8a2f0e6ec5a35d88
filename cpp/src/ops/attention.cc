#include "ops/attention.h"

#include <algorithm>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"

namespace snncore::ops {
namespace {

using kernels::BytePlanes;
using kernels::ByteRows;
using kernels::KernelTable;
using kernels::kPlaneLanes;

// Counts made at a time: what a second-level cache holds beside the rest.
constexpr size_t kCountBytes = size_t{256} << 10;

// Rows of a map whose counts are made at a time.
constexpr size_t kMapRows = 64;

constexpr size_t pad_lanes(size_t n) { return align_up(n, kPlaneLanes); }

// One operand, seen as [inner, outer].
struct Matrix {
  const uint64_t* words;
  size_t inner, outer;
  bool packed_inner;
};

// Byte planes along the inner axis, lanes along the outer one.
void write_planes(const KernelTable& table, const Matrix& m, uint8_t* planes) {
  if (m.packed_inner) {
    table.planes_of_rows_b1(m.words, words_for(m.inner), m.outer, planes, pad_lanes(m.outer));
  } else {
    table.planes_of_columns_b1(m.words, words_for(m.outer), m.inner, planes, pad_lanes(m.outer));
  }
}

// The outer axis as rows, bytes along the inner one.
ByteRows rows_of(const KernelTable& table, const Matrix& m, uint8_t* planes) {
  if (m.packed_inner) {
    return {reinterpret_cast<const uint8_t*>(m.words), words_for(m.inner) * sizeof(uint64_t), 1, m.outer};
  }
  write_planes(table, m, planes);
  return {planes, 1, pad_lanes(m.outer), m.outer};
}

// The inner axis as rows, packed along the outer one.
const uint64_t* packed_outer(const KernelTable& table, const Matrix& m, uint64_t* rows) {
  if (!m.packed_inner) return m.words;
  table.transpose_b1(m.words, words_for(m.inner), m.outer, m.inner, rows);
  return rows;
}

void copy_turned(const int32_t* from, size_t rows, size_t columns, size_t pitch, int32_t* to, size_t stride) {
  constexpr size_t kTile = 8;
  for (size_t c = 0; c < columns; c += kTile) {
    const size_t end = std::min(columns, c + kTile);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t i = c; i < end; ++i) to[i * stride + r] = from[r * pitch + i];
    }
  }
}

// What no count exceeds: the inner length, as long as sums of so many fit 16 bits. Beyond it they nearly
// always still do, and take twice the time if nobody looks.
uint32_t most_of(const AttentionPlan& plan, const uint16_t* counts, size_t pitch, size_t lanes) {
  if (std::min<size_t>(plan.outer, 64) * plan.inner <= UINT16_MAX) return static_cast<uint32_t>(plan.inner);
  uint16_t most = 0;
  for (size_t r = 0; r < plan.outer; ++r, counts += pitch) {
    for (size_t l = 0; l < lanes; ++l) most = std::max(most, counts[l]);
  }
  return most;
}

}  // namespace

AttentionPlan plan_attention(size_t tokens, size_t dim, AttentionOrder order) noexcept {
  AttentionPlan p{};
  p.tokens = tokens;
  p.dim = dim;
  p.kv_first = order == AttentionOrder::kAuto ? tokens > dim : order == AttentionOrder::kKvFirst;
  p.inner = p.kv_first ? tokens : dim;
  p.outer = p.kv_first ? dim : tokens;
  p.pitch = pad_lanes(p.outer);
  const size_t fit = kCountBytes / (p.outer * sizeof(uint16_t) + 1) / kPlaneLanes * kPlaneLanes;
  p.block = std::clamp(fit, kPlaneLanes, p.pitch);
  const size_t planes = align_up(words_for(p.inner) * 8 * p.pitch);
  size_t end = 0;
  const auto take = [&end](size_t bytes) {
    const size_t at = end;
    end += align_up(bytes);
    return at;
  };
  p.left = take(p.inner * words_for(p.outer) * sizeof(uint64_t));
  p.keys = take(planes);
  p.values = take(planes);
  p.counts = take(p.outer * p.block * sizeof(uint16_t));
  p.turned = take(p.kv_first ? 0 : p.inner * p.block * sizeof(int32_t));
  p.scratch_bytes = end;
  return p;
}

void run_attention(const KernelTable& table, const AttentionPlan& plan, HeadBits q, HeadBits k, HeadBits v,
                   int32_t* out, size_t pitch, std::byte* scratch) noexcept {
  if (!plan.kv_first) std::swap(q, v);
  const auto matrix = [&plan](HeadBits bits) {
    return Matrix{bits.words, plan.inner, plan.outer, bits.token_packed == plan.kv_first};
  };
  const Matrix values = matrix(v);
  auto* const planes = reinterpret_cast<uint8_t*>(scratch + plan.values);
  auto* const counts = reinterpret_cast<uint16_t*>(scratch + plan.counts);
  auto* const turned = reinterpret_cast<int32_t*>(scratch + plan.turned);
  const uint64_t* left = packed_outer(table, matrix(q), reinterpret_cast<uint64_t*>(scratch + plan.left));
  const ByteRows keys = rows_of(table, matrix(k), reinterpret_cast<uint8_t*>(scratch + plan.keys));
  write_planes(table, values, planes);
  for (size_t lane = 0; lane < plan.outer; lane += plan.block) {
    const size_t lanes = std::min(plan.block, plan.outer - lane);
    table.gemm_b1b1_u16(keys, {planes + lane, plan.pitch, (plan.inner + 7) / 8, lanes}, counts, plan.block,
                        false);
    const kernels::CountRows w{counts, plan.outer, plan.block, lanes,
                               most_of(plan, counts, plan.block, lanes)};
    if (plan.kv_first) {
      table.addrows_b1u16_i32(left, plan.inner, w, out + lane, pitch);
    } else {
      table.addrows_b1u16_i32(left, plan.inner, w, turned, plan.block);
      copy_turned(turned, plan.inner, lanes, plan.block, out + lane * pitch, pitch);
    }
  }
}

size_t keys_values_scratch(size_t heads, size_t dim) noexcept {
  // Vectors of the last head's last plane reach past it.
  return 2 * kTokenBlock / 8 * pad_lanes(heads * dim) + kPlaneLanes;
}

void add_keys_values(const KernelTable& table, const AttentionPlan& plan, const HeadRows& k,
                     const HeadRows& v, uint16_t* counts, size_t stride, bool add,
                     std::byte* scratch) noexcept {
  const size_t lanes = pad_lanes(k.heads * plan.dim), planes = (k.count + 7) / 8;
  auto* const keys = reinterpret_cast<uint8_t*>(scratch);
  uint8_t* const values = keys + planes * lanes;
  table.planes_of_columns_b1(k.words, lanes / 64, k.count, keys, lanes);
  table.planes_of_columns_b1(v.words, lanes / 64, v.count, values, lanes);
  for (size_t at = 0; at < k.heads * plan.dim; at += plan.dim, counts += stride) {
    table.gemm_b1b1_u16({keys + at, 1, lanes, plan.dim}, {values + at, lanes, planes, plan.dim}, counts,
                        plan.pitch, add);
  }
}

uint32_t most_product(const AttentionPlan& plan, const uint16_t* counts) noexcept {
  return most_of(plan, counts, plan.pitch, plan.dim);
}

void run_queries(const KernelTable& table, const AttentionPlan& plan, const uint64_t* rows, size_t count,
                 const uint16_t* counts, uint32_t max_count, int32_t* out, size_t pitch) noexcept {
  const kernels::CountRows w{counts, plan.dim, plan.pitch, plan.dim, max_count};
  table.addrows_b1u16_i32(rows, count, w, out, pitch);
}

size_t attention_map_scratch(size_t tokens, size_t dim) noexcept {
  return 2 * align_up(words_for(dim) * 8 * pad_lanes(tokens));
}

void run_attention_map(const KernelTable& table, size_t tokens, size_t dim, HeadBits q, HeadBits k,
                       uint32_t threshold, uint64_t* out, std::byte* scratch) noexcept {
  auto* const keys = reinterpret_cast<uint8_t*>(scratch);
  uint8_t* const queries = keys + attention_map_scratch(tokens, dim) / 2;
  write_planes(table, {k.words, dim, tokens, !k.token_packed}, keys);
  const ByteRows rows = rows_of(table, {q.words, dim, tokens, !q.token_packed}, queries);
  table.gemm_b1b1_b1(rows, {keys, pad_lanes(tokens), (dim + 7) / 8, tokens}, threshold, out);
}

size_t attention_apply_scratch(size_t tokens, size_t dim) noexcept {
  return align_up(words_for(tokens) * 8 * pad_lanes(dim)) + kMapRows * pad_lanes(dim) * sizeof(uint16_t);
}

void run_attention_apply(const KernelTable& table, size_t tokens, size_t dim, const uint64_t* map, HeadBits v,
                         int32_t* out, std::byte* scratch) noexcept {
  auto* const planes = reinterpret_cast<uint8_t*>(scratch);
  auto* const counts =
      reinterpret_cast<uint16_t*>(scratch + align_up(words_for(tokens) * 8 * pad_lanes(dim)));
  write_planes(table, {v.words, tokens, dim, v.token_packed}, planes);
  const size_t row_bytes = words_for(tokens) * sizeof(uint64_t);
  for (size_t r = 0; r < tokens; r += kMapRows) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(map) + r * row_bytes;
    const ByteRows rows{bytes, row_bytes, 1, std::min(kMapRows, tokens - r)};
    table.gemm_b1b1_u16(rows, {planes, pad_lanes(dim), (tokens + 7) / 8, dim}, counts, pad_lanes(dim), false);
    for (size_t i = 0; i < rows.rows; ++i, out += dim) {
      std::copy_n(counts + i * pad_lanes(dim), dim, out);
    }
  }
}

}  // namespace snncore::ops
