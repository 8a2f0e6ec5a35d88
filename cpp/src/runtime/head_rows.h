// The channels of one head, cut out of rows of tokens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/align.h"
#include "base/bits.h"
#include "runtime/frame.h"

namespace snncore::runtime {

/// Bytes of the rows that `head_rows` copies.
inline size_t head_bytes(size_t tokens, size_t dim) noexcept {
  return align_up(tokens * words_for(dim) * sizeof(uint64_t));
}

/// A head's bits of `count` tokens from `first` on, a row for each behind the other; where there is one head,
/// the rows themselves.
inline const uint64_t* head_rows(const Slot& in, size_t heads, const Frame& f, size_t t, size_t n, size_t h,
                                 size_t first, size_t count, uint64_t* copies) noexcept {
  const auto* from = in.row<uint64_t>(f, t, n, first);
  if (heads == 1) return from;
  const size_t dim = in.channels / heads, row_words = in.row_bytes / sizeof(uint64_t), words = words_for(dim);
  for (size_t p = 0; p < count; ++p) extract_bits(from + p * row_words, h * dim, dim, copies + p * words);
  return copies;
}

}  // namespace snncore::runtime
