// Which slots a search may find.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <snncore/lsh.h>

#include "base/bits.h"
#include "lsh/collection.h"

namespace snncore::lsh {

/// The living slots that pass a filter, as bits for each segment.
class Allowed {
 public:
  /// Throws Error(kInvalidArgument) for a bitmap of another length.
  Allowed(const Collection& all, const IndexFilter& filter);

  [[nodiscard]] size_t count() const noexcept { return count_; }
  /// The bits of a segment; null: all of it.
  [[nodiscard]] const uint64_t* bits(size_t segment) const noexcept { return bits_[segment]; }
  [[nodiscard]] bool operator()(size_t segment, size_t slot) const noexcept {
    return bits_[segment] == nullptr || get_bit(bits_[segment], slot);
  }
  /// Where a slot of the index lies.
  [[nodiscard]] Collection::Place place(size_t slot) const noexcept {
    size_t segment = 0;
    while (slot >= first_[segment + 1]) ++segment;
    return {segment, slot - first_[segment]};
  }
  /// The slot of a segment's first vector.
  [[nodiscard]] size_t first(size_t segment) const noexcept { return first_[segment]; }

  /// Calls each(slot) for the slots of a segment, ascending.
  template <typename F>
  void for_each(size_t segment, F&& each) const {
    const size_t slots = first_[segment + 1] - first_[segment];
    for (size_t first = 0; first < slots; first += 64) {
      uint64_t bits = bits_[segment] != nullptr ? bits_[segment][first / 64] : ~uint64_t{0};
      if (first + 64 > slots) bits &= tail_mask(slots);
      for (; bits != 0; bits &= bits - 1) each(first + static_cast<size_t>(std::countr_zero(bits)));
    }
  }

 private:
  void allow_ids(const Collection& all, std::span<const uint64_t> ids);
  void allow_slots(const Collection& all, std::span<const uint64_t> words);

  std::vector<const uint64_t*> bits_;
  std::vector<std::vector<uint64_t>> own_;
  std::vector<size_t> first_;  // with the end
  size_t count_ = 0;
};

}  // namespace snncore::lsh
