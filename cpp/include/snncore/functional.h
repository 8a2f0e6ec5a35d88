/// \file
/// Single operations on arrays, with the kernels a model runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <snncore/bit_tensor.h>
#include <snncore/tensor.h>

namespace snncore {

/// The bits of attention's queries, keys or values: [..., tokens, dim], packed along dim; or, `token_packed`,
/// [..., dim, tokens]. The axes in front (steps, samples, heads) are independent heads.
struct HeadTensor {
  BitTensor bits;
  bool token_packed = false;
};

/// Which product comes first. `kAuto`: K^T V where there are more tokens than dim.
enum class AttentionOrder : uint8_t { kAuto, kKvFirst, kQkFirst };

/// out [..., tokens, dim] = (Q K^T) V for every head, exact and the same in every order: at most 65,535
/// tokens and a dim of 32,767. At most `threads`, 1..256, share the heads, fewer where a thread would take
/// longer to start than to work.
SNNCORE_API void attention(const HeadTensor& q, const HeadTensor& k, const HeadTensor& v,
                           AttentionOrder order, size_t threads, int32_t* out);

/// Bits [..., tokens, tokens]: q[n] . k[m] >= threshold, without a count stored.
SNNCORE_API BitTensor attention_map(const HeadTensor& q, const HeadTensor& k, int64_t threshold,
                                    size_t threads);

/// out [..., tokens, dim] = map v for a binary map [..., tokens, tokens] packed along its last axis: each
/// token's sum of the values it attends to.
SNNCORE_API void attention_apply(const BitTensor& map, const HeadTensor& v, size_t threads, int32_t* out);

}  // namespace snncore
