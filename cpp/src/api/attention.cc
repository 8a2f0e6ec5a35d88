#include <algorithm>
#include <string>

#include <snncore/error.h>
#include <snncore/functional.h>

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "ops/attention.h"

namespace snncore {
namespace {

// [..., tokens, dim], whichever axis is packed.
Shape shape_of(const HeadTensor& t) {
  Shape shape = t.bits.shape();
  if (t.token_packed && shape.size() >= 2) std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return shape;
}

struct Heads {
  size_t count, tokens, dim;
};

Heads check_heads(const std::string& op, const Shape& shape) {
  require(shape.size() >= 2, ErrorCode::kShape,
          op + ": expected [..., tokens, dim], received " + shape_string(shape));
  const int64_t tokens = shape[shape.size() - 2], dim = shape.back();
  require(tokens <= static_cast<int64_t>(ops::kMostTokens) && dim <= static_cast<int64_t>(ops::kMostDim),
          ErrorCode::kShape,
          op + ": expected at most " + std::to_string(ops::kMostTokens) + " tokens and a dim of " +
              std::to_string(ops::kMostDim) + ", received " + shape_string(shape));
  const Shape front(shape.begin(), shape.end() - 2);
  return {static_cast<size_t>(element_count(front, op)), static_cast<size_t>(tokens),
          static_cast<size_t>(dim)};
}

void check_same(const std::string& op, const char* name, const HeadTensor& t, const Shape& expected) {
  require(shape_of(t) == expected, ErrorCode::kShape,
          op + ": " + name + ": expected " + shape_string(expected) + " as q, received " +
              shape_string(shape_of(t)));
}

// Threads that sleep take as long to wake as a tenth of a millisecond of work: one more pays from about this
// many products of single bits on.
constexpr double kThreadProducts = 1 << 23;

size_t check_call(const std::string& op, const Heads& heads, size_t threads) {
  if (const char* problem = kernels::selection_error()) throw Error(ErrorCode::kInvalidArgument, problem);
  check_threads(op, static_cast<int64_t>(threads));
  const auto tokens = static_cast<double>(heads.tokens), dim = static_cast<double>(heads.dim);
  const double products = static_cast<double>(heads.count) * tokens * dim * std::min(tokens, dim);
  const double worth = std::min(1 + products / kThreadProducts, static_cast<double>(kMaxThreads));
  return std::clamp<size_t>(std::min(heads.count, static_cast<size_t>(worth)), 1, threads);
}

ops::HeadBits head(const HeadTensor& t, const Heads& heads, size_t i) {
  const size_t rows = t.token_packed ? heads.dim : heads.tokens;
  return {t.bits.words() + i * rows * t.bits.row_words(), t.token_packed};
}

// Calls run(head, scratch) for every head; each worker has scratch of its own.
template <typename Run>
void for_each_head(size_t heads, size_t workers, size_t scratch_bytes, const Run& run) {
  const AlignedBuffer scratch(workers * align_up(scratch_bytes));
  struct Work {
    size_t pitch;
    std::byte* scratch;
    const Run& run;
  } work{align_up(scratch_bytes), scratch.data(), run};
  const auto some = [](void* argument, size_t worker, size_t first, size_t end) noexcept {
    const auto& w = *static_cast<const Work*>(argument);
    for (size_t i = first; i < end; ++i) w.run(i, w.scratch + worker * w.pitch);
  };
  run_on_workers(workers, heads, some, &work);
}

}  // namespace

void attention(const HeadTensor& q, const HeadTensor& k, const HeadTensor& v, AttentionOrder order,
               size_t threads, int32_t* out) {
  const Shape shape = shape_of(q);
  const Heads heads = check_heads("attention", shape);
  check_same("attention", "k", k, shape);
  check_same("attention", "v", v, shape);
  const size_t workers = check_call("attention", heads, threads);
  if (heads.tokens == 0 || heads.dim == 0) return;
  const kernels::KernelTable& table = kernels::kernels();
  const ops::AttentionPlan plan = ops::plan_attention(heads.tokens, heads.dim, order);
  for_each_head(heads.count, workers, plan.scratch_bytes, [&](size_t i, std::byte* scratch) noexcept {
    ops::run_attention(table, plan, head(q, heads, i), head(k, heads, i), head(v, heads, i),
                       out + i * heads.tokens * heads.dim, heads.dim, scratch);
  });
}

BitTensor attention_map(const HeadTensor& q, const HeadTensor& k, int64_t threshold, size_t threads) {
  Shape shape = shape_of(q);
  const Heads heads = check_heads("attention_map", shape);
  check_same("attention_map", "k", k, shape);
  const size_t workers = check_call("attention_map", heads, threads);
  shape.back() = static_cast<int64_t>(heads.tokens);
  uint64_t* words = nullptr;
  BitTensor map = BitTensor::zeros(shape, &words);
  const auto least =
      static_cast<uint32_t>(std::clamp<int64_t>(threshold, 0, static_cast<int64_t>(heads.dim) + 1));
  const kernels::KernelTable& table = kernels::kernels();
  const size_t bytes = ops::attention_map_scratch(heads.tokens, heads.dim);
  for_each_head(heads.count, workers, bytes, [&](size_t i, std::byte* scratch) noexcept {
    ops::run_attention_map(table, heads.tokens, heads.dim, head(q, heads, i), head(k, heads, i), least,
                           words + i * heads.tokens * map.row_words(), scratch);
  });
  return map;
}

void attention_apply(const BitTensor& map, const HeadTensor& v, size_t threads, int32_t* out) {
  const Heads heads = check_heads("attention_apply", shape_of(v));
  Shape expected = shape_of(v);
  expected.back() = static_cast<int64_t>(heads.tokens);
  require(map.shape() == expected, ErrorCode::kShape,
          "attention_apply: chosen: expected " + shape_string(expected) + " for v " +
              shape_string(shape_of(v)) + ", received " + shape_string(map.shape()));
  const size_t workers = check_call("attention_apply", heads, threads);
  if (heads.tokens == 0 || heads.dim == 0) return;
  const kernels::KernelTable& table = kernels::kernels();
  const size_t bytes = ops::attention_apply_scratch(heads.tokens, heads.dim);
  for_each_head(heads.count, workers, bytes, [&](size_t i, std::byte* scratch) noexcept {
    const uint64_t* rows = map.words() + i * heads.tokens * map.row_words();
    ops::run_attention_apply(table, heads.tokens, heads.dim, rows, head(v, heads, i),
                             out + i * heads.tokens * heads.dim, scratch);
  });
}

}  // namespace snncore
