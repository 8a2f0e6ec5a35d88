// The products of attention without soft-max, in exact integers: (Q K^T) V, and maps of compared scores.
#pragma once

#include <cstddef>
#include <cstdint>

#include <snncore/functional.h>

#include "kernels/table.h"

namespace snncore::ops {

/// Bounds that keep every count in uint16 and every result in int32.
inline constexpr size_t kMostTokens = 65535, kMostDim = 32767;

/// One head's bits, tokens by dim: a row for each token, packed along dim, or (`token_packed`) a row for each
/// channel, packed along tokens. Tail bits are zero.
struct HeadBits {
  const uint64_t* words;
  bool token_packed;
};

/// Where the parts of one head's product lie in scratch memory. All that follows is said for K^T V first:
/// with Q, K, V as matrices [inner = tokens, outer = dim], the counts are C = K^T V and the result is Q C.
/// The other order is the same product of the transposed problem: V^T (K Q^T) is the transpose of (Q K^T) V.
struct AttentionPlan {
  size_t tokens, dim;
  bool kv_first;
  size_t inner, outer;
  size_t pitch;  // lanes of planes: outer, padded
  size_t block;  // lanes of counts made at a time
  size_t left, keys, values, counts, turned, scratch_bytes;
};

/// `kAuto` takes K^T V first where tokens > dim: tokens * dim^2 operations instead of tokens^2 * dim.
AttentionPlan plan_attention(size_t tokens, size_t dim, AttentionOrder order) noexcept;

/// out [tokens, dim] = (Q K^T) V, rows `pitch` apart. `scratch` has plan.scratch_bytes bytes, aligned to
/// kAlign.
void run_attention(const kernels::KernelTable& table, const AttentionPlan& plan, HeadBits q, HeadBits k,
                   HeadBits v, int32_t* out, size_t pitch, std::byte* scratch) noexcept;

/// Rows of `count` tokens, at most kTokenBlock of them, with some heads side by side.
struct HeadRows {
  const uint64_t* words;
  size_t count, heads;
};
inline constexpr size_t kTokenBlock = 248;  // whose products fit a byte

/// The same in two parts, of a plan with kv_first. First counts [dim][plan.pitch] = K^T V of each head,
/// `stride` apart, block by block of tokens, all but the first of which `add`; lanes past dim may be written.
/// `scratch` has keys_values_scratch bytes.
size_t keys_values_scratch(size_t heads, size_t dim) noexcept;
void add_keys_values(const kernels::KernelTable& table, const AttentionPlan& plan, const HeadRows& k,
                     const HeadRows& v, uint16_t* counts, size_t stride, bool add,
                     std::byte* scratch) noexcept;
/// A number that none of a head's counts exceeds.
uint32_t most_product(const AttentionPlan& plan, const uint16_t* counts) noexcept;
/// Then out [count, dim] of so many packed rows of Q; the counts are kAlign-aligned.
void run_queries(const kernels::KernelTable& table, const AttentionPlan& plan, const uint64_t* rows,
                 size_t count, const uint16_t* counts, uint32_t max_count, int32_t* out,
                 size_t pitch) noexcept;

/// Scratch bytes of one head's map.
size_t attention_map_scratch(size_t tokens, size_t dim) noexcept;

/// Bit m of row n of `out`, ceil(tokens / 64) words = q[n] . k[m] >= threshold.
void run_attention_map(const kernels::KernelTable& table, size_t tokens, size_t dim, HeadBits q, HeadBits k,
                       uint32_t threshold, uint64_t* out, std::byte* scratch) noexcept;

/// Scratch bytes of one head's applied map.
size_t attention_apply_scratch(size_t tokens, size_t dim) noexcept;

/// out [tokens, dim] = map v, the map's rows being packed.
void run_attention_apply(const kernels::KernelTable& table, size_t tokens, size_t dim, const uint64_t* map,
                         HeadBits v, int32_t* out, std::byte* scratch) noexcept;

}  // namespace snncore::ops
