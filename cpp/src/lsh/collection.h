// All vectors of an index: segments that are done, and one that grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

#include "lsh/segment.h"

namespace snncore::lsh {

inline constexpr int64_t kMaxKeyBits = 30;      // of a table
inline constexpr size_t kOpenSlots = 4096;      // a segment is scanned up to here, then it gets tables
inline constexpr size_t kMaxSlots = INT32_MAX;  // of all segments

/// A log-structured merge: what comes is added to the last segment; when that is large it is sealed, together
/// with those before it that are not much larger. Slots keep the order in which vectors came.
class Collection {
 public:
  explicit Collection(const Layout& layout) : layout_(layout) {}
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;

  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
  void set_grid(const Grid& grid) noexcept { layout_.grid = grid; }

  [[nodiscard]] const std::deque<Segment>& segments() const noexcept { return segments_; }
  [[nodiscard]] bool sealed(size_t segment) const noexcept { return segment < sealed_; }
  [[nodiscard]] size_t slots() const noexcept;
  [[nodiscard]] size_t size() const noexcept;

  struct Place {
    size_t segment, slot;
  };
  [[nodiscard]] std::optional<Place> find(uint64_t id) const;

  /// Ids that are not there; rows [count][dim], codes [count][words]. Throws Error(kInvalidArgument) when
  /// there are too many, and has changed nothing then.
  void add(std::span<const uint64_t> ids, const float* rows, const uint64_t* codes, size_t threads);
  /// Returns how many of the ids were there.
  size_t remove(std::span<const uint64_t> ids);
  /// One segment, without the dead.
  void compact();

  /// A sealed segment of a file.
  void append(size_t count, Segment::Sections sections) {
    segments_.emplace_back(layout_, count, std::move(sections));
    sealed_ = segments_.size();
  }
  /// The living of the segment that grows, as one that is done; for a file.
  [[nodiscard]] std::optional<Segment> sealed_copy_of_open() const;

 private:
  void seal(size_t threads);
  Segment merged(size_t first, size_t last) const;
  void replace(size_t first, size_t last, size_t threads = 1);
  void drop_dead();

  Layout layout_;
  std::deque<Segment> segments_;
  size_t sealed_ = 0;
};

}  // namespace snncore::lsh
