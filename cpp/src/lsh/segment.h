// A run of slots: ids, codes, vectors and tables of vectors that came one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "lsh/code_blocks.h"
#include "lsh/tables.h"
#include "lsh/vectors.h"

namespace snncore::lsh {

/// What the segments of an index have in common.
struct Layout {
  size_t dim = 0, bits = 0;
  Metric metric = Metric::kL2;
  TableShape tables;
  Store store = Store::kNone;
  bool bytes_first = false;
  Grid grid;

  [[nodiscard]] size_t words() const noexcept { return bits / 64; }
};

class Segment {
 public:
  explicit Segment(const Layout& layout);

  using Sections = std::map<std::string, tensor::Tensor>;
  /// What a file holds of `count` slots. Throws Error(kFormat): a section that is missing, one too many, or
  /// of another type or shape.
  Segment(const Layout& layout, size_t count, Sections sections);
  [[nodiscard]] Sections sections() const;

  /// Appends vectors; `rows` [count][dim], `codes` [count][words]. The tables, if any, are no longer there.
  void add(const uint64_t* ids, const float* rows, const uint64_t* codes, size_t count, size_t threads = 1);
  /// Appends what is alive of `from`.
  void add(const Segment& from);
  void reserve(size_t slots);
  /// Builds tables: nothing is added any more.
  void seal(size_t threads = 1);

  [[nodiscard]] size_t size() const noexcept { return ids_.size(); }
  [[nodiscard]] size_t dead() const noexcept { return dead_; }
  [[nodiscard]] uint64_t id(size_t slot) const noexcept { return ids_[slot]; }
  [[nodiscard]] bool alive(size_t slot) const noexcept;
  /// A bit for each slot; those past the end are zero.
  [[nodiscard]] const uint64_t* living() const noexcept { return living_.data(); }

  /// The living slot of an id. Throws Error(kFormat) where a damaged file has no order of ids.
  [[nodiscard]] std::optional<size_t> find(uint64_t id) const;
  void kill(size_t slot);

  [[nodiscard]] const CodeBlocks& codes() const noexcept { return codes_; }
  /// A packed code: in place, or in `scratch` [words].
  const uint64_t* code(size_t slot, uint64_t* scratch) const noexcept;
  /// Asks for a code that will be measured soon.
  void prefetch_code(size_t slot) const noexcept {
    const uint64_t* row = rows_.data() + slot * layout_->words();
    for (size_t word = 0; word < layout_->words(); word += kernels::kAlign / sizeof(uint64_t)) {
      __builtin_prefetch(row + word);
    }
  }
  /// Hamming distances of some slots to a code.
  void measure(const uint64_t* code, std::span<const uint32_t> slots, uint32_t* distances) const;
  [[nodiscard]] const Tables& tables() const noexcept { return tables_; }
  [[nodiscard]] const Vectors& vectors() const noexcept { return vectors_; }
  [[nodiscard]] const Vectors& bytes() const noexcept { return bytes_; }

  /// Adds the bytes of each section to `sections`.
  void count_bytes(std::map<std::string, int64_t>& sections) const;

 private:
  void sort_ids(size_t first);
  void append_living(size_t count);

  const Layout* layout_;
  Column<uint64_t> ids_, living_, rows_;
  Column<uint32_t> by_id_;  // slots in the order of (id, slot)
  CodeBlocks codes_;
  Vectors vectors_, bytes_;
  Tables tables_;
  size_t dead_ = 0;
};

}  // namespace snncore::lsh
