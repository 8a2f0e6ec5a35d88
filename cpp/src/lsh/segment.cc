#include "lsh/segment.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <tuple>
#include <vector>

#include "base/bits.h"
#include "base/checked.h"
#include "kernels/table.h"
#include "lsh/distance.h"
#include "lsh/each.h"
#include "lsh/sections.h"

namespace snncore::lsh {
namespace {

// Bytes of a cosine index are those of vectors of length 1: then one grid fits all.
void add_on_grid(Vectors& to, Metric metric, const float* rows, size_t count, size_t dim) {
  if (metric != Metric::kCosine) return to.add(rows, count);
  std::vector<float> unit(dim);
  for (size_t r = 0; r < count; ++r, rows += dim) {
    to_unit(rows, dim, unit.data());
    to.add(unit.data(), 1);
  }
}

TableColumns read_tables(const TableShape& shape, int64_t slots, SectionReader& read) {
  const auto tables = static_cast<int64_t>(shape.tables);
  TableColumns columns;
  columns.slots = Column<uint32_t>(read.take("slots", DType::kI32, {tables, slots}));
  if (shape.lists_all()) {
    const auto row = static_cast<int64_t>(shape.buckets() + 1);
    columns.offsets = Column<uint32_t>(read.take("offsets", DType::kI32, {tables, row}));
  } else {
    const int64_t entries = read.length("keys");
    columns.first = Column<uint64_t>(read.take("first", DType::kU64, {tables + 1}));
    columns.keys = Column<uint32_t>(read.take("keys", DType::kI32, {entries}));
    columns.offsets = Column<uint32_t>(read.take("offsets", DType::kI32, {entries}));
  }
  return columns;
}

void write_tables(const TableShape& shape, const TableColumns& columns, int64_t slots,
                  Segment::Sections& all) {
  const auto tables = static_cast<int64_t>(shape.tables);
  all["slots"] = view_of(columns.slots, DType::kI32, {tables, slots});
  if (shape.lists_all()) {
    const auto row = static_cast<int64_t>(shape.buckets() + 1);
    all["offsets"] = view_of(columns.offsets, DType::kI32, {tables, row});
  } else {
    const auto entries = static_cast<int64_t>(columns.keys.size());
    all["first"] = view_of(columns.first, DType::kU64, {tables + 1});
    all["keys"] = view_of(columns.keys, DType::kI32, {entries});
    all["offsets"] = view_of(columns.offsets, DType::kI32, {entries});
  }
}

}  // namespace

Segment::Segment(const Layout& layout)
    : layout_(&layout),
      codes_(layout.bits),
      vectors_(layout.store, layout.dim, layout.grid),
      bytes_(layout.bytes_first ? Store::kI8 : Store::kNone, layout.dim, layout.grid) {}

bool Segment::alive(size_t slot) const noexcept { return get_bit(living_.data(), slot); }

const uint64_t* Segment::code(size_t slot, uint64_t* scratch) const noexcept {
  if (rows_.size() != 0) return rows_.data() + slot * layout_->words();
  codes_.copy(slot, scratch);
  return scratch;
}

void Segment::measure(const uint64_t* wanted, std::span<const uint32_t> slots, uint32_t* distances) const {
  const auto hamming = kernels::kernels().hamming_b1b1_rows;
  const size_t words = layout_->words();
  if (rows_.size() != 0) return hamming(wanted, rows_.data(), words, slots.data(), slots.size(), distances);
  std::vector<uint64_t> row(words);
  constexpr uint32_t kFirst = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    codes_.copy(slots[i], row.data());
    hamming(wanted, row.data(), words, &kFirst, 1, distances + i);
  }
}

void Segment::append_living(size_t count) {
  const size_t first = size() - count;
  living_.append(words_for(size()) - living_.size());
  uint64_t* living = living_.writable();
  for (size_t slot = first; slot < size(); ++slot) set_bit(living, slot);
}

void Segment::sort_ids(size_t first) {
  by_id_.append(size() - first);
  uint32_t* slots = by_id_.writable();
  std::iota(slots + first, slots + size(), static_cast<uint32_t>(first));
  const auto before = [this](uint32_t a, uint32_t b) { return std::tie(ids_[a], a) < std::tie(ids_[b], b); };
  std::sort(slots + first, slots + size(), before);
  std::inplace_merge(slots, slots + first, slots + size(), before);
}

void Segment::add(const uint64_t* ids, const float* rows, const uint64_t* codes, size_t count,
                  size_t threads) {
  const Layout& layout = *layout_;
  const auto add_ids = [&] {
    const size_t first = size();
    ids_.append(ids, count);
    append_living(count);
    sort_ids(first);
  };
  const auto add_rows = [&] {
    if (layout.tables.tables > 0) rows_.append(codes, count * layout.words());
  };
  const auto add_vectors = [&] {
    if (layout.store == Store::kI8) return add_on_grid(vectors_, layout.metric, rows, count, layout.dim);
    vectors_.add(rows, count);
  };
  const auto add_bytes = [&] {
    if (!bytes_.empty()) add_on_grid(bytes_, layout.metric, rows, count, layout.dim);
  };
  // Columns know nothing of each other.
  const std::array<std::function<void()>, 5> columns = {add_vectors, add_bytes, add_ids, add_rows,
                                                        [&] { codes_.add(codes, count); }};
  for_each_item(columns.size(), threads, [&](size_t, size_t column) { columns[column](); });
}

void Segment::add(const Segment& from) {
  const size_t first = size();
  std::vector<uint64_t> scratch(layout_->words());
  for (size_t slot = 0; slot < from.size(); ++slot) {
    if (!from.alive(slot)) continue;
    const uint64_t* code = from.code(slot, scratch.data());
    codes_.add(code, 1);
    if (layout_->tables.tables > 0) rows_.append(code, layout_->words());
    vectors_.add(from.vectors_, slot);
    bytes_.add(from.bytes_, slot);
    ids_.append(&from.ids_[slot], 1);
    append_living(1);
  }
  sort_ids(first);
}

void Segment::reserve(size_t slots) {
  codes_.reserve(slots);
  if (layout_->tables.tables > 0) rows_.reserve(slots * layout_->words());
  vectors_.reserve(slots);
  bytes_.reserve(slots);
  ids_.reserve(slots);
  living_.reserve(words_for(slots));
  by_id_.reserve(slots);
}

void Segment::seal(size_t threads) {
  if (layout_->tables.tables == 0) return;
  tables_ = Tables(layout_->tables, rows_.data(), layout_->words(), size(), threads);
}

std::optional<size_t> Segment::find(uint64_t id) const {
  const auto in_order = [this](uint32_t slot) {
    require(slot < size(), ErrorCode::kFormat,
            "the index is damaged: a slot " + std::to_string(slot) + " of " + std::to_string(size()));
    return slot;
  };
  const uint32_t* end = by_id_.data() + size();
  const uint32_t* at = std::lower_bound(
      by_id_.data(), end, id, [&](uint32_t slot, uint64_t wanted) { return ids_[in_order(slot)] < wanted; });
  for (; at != end && ids_[in_order(*at)] == id; ++at) {
    if (alive(*at)) return *at;
  }
  return std::nullopt;
}

void Segment::kill(size_t slot) {
  living_.writable()[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  ++dead_;
}

void Segment::count_bytes(std::map<std::string, int64_t>& sections) const {
  const auto count = [&](const char* name, size_t bytes) { sections[name] += static_cast<int64_t>(bytes); };
  count("ids", ids_.bytes() + by_id_.bytes());
  count("tombstones", living_.bytes());
  count("codes", codes_.column().bytes() + rows_.bytes());
  count("vectors", vectors_.column().bytes() + bytes_.column().bytes());
  count("tables", tables_.bytes());
}

Segment::Segment(const Layout& layout, size_t count, Sections sections) : Segment(layout) {
  SectionReader read(std::move(sections));
  const auto n = static_cast<int64_t>(count), words = static_cast<int64_t>(layout.words());
  const auto dim = static_cast<int64_t>(layout.dim);
  ids_ = Column<uint64_t>(read.take("ids", DType::kU64, {n}));
  by_id_ = Column<uint32_t>(read.take("by_id", DType::kI32, {n}));
  living_ = Column<uint64_t>(read.take("living", DType::kU64, {static_cast<int64_t>(words_for(count))}));
  const auto blocks = static_cast<int64_t>(ceil_blocks(count));
  codes_ = CodeBlocks(layout.bits, count,
                      read.take("codes", DType::kU8, {blocks, static_cast<int64_t>(layout.bits / 8), 64}));
  if (layout.store != Store::kNone) {
    vectors_ = Vectors(layout.store, layout.dim, layout.grid,
                       read.take("vectors", stored_dtype(layout.store), {n, dim}));
  }
  if (layout.bytes_first) {
    bytes_ = Vectors(Store::kI8, layout.dim, layout.grid, read.take("bytes", DType::kI8, {n, dim}));
  }
  if (const auto tables = static_cast<int64_t>(layout.tables.tables); tables > 0) {
    rows_ = Column<uint64_t>(read.take("rows", DType::kU64, {n, words}));
    tables_ = Tables(layout.tables, count, read_tables(layout.tables, n, read));
  }
  read.expect_all_taken();
  require((living_[count / 64 - (count % 64 == 0 ? 1 : 0)] & ~tail_mask(count)) == 0, ErrorCode::kFormat,
          "tensor 'living' has bits past its end");
  dead_ = count - static_cast<size_t>(kernels::kernels().popcount_b1(living_.data(), living_.size()));
}

Segment::Sections Segment::sections() const {
  const auto n = static_cast<int64_t>(size()), words = static_cast<int64_t>(layout_->words());
  const auto dim = static_cast<int64_t>(layout_->dim);
  Sections all;
  all["ids"] = view_of(ids_, DType::kU64, {n});
  all["by_id"] = view_of(by_id_, DType::kI32, {n});
  all["living"] = view_of(living_, DType::kU64, {static_cast<int64_t>(words_for(size()))});
  const auto blocks = static_cast<int64_t>(codes_.blocks());
  all["codes"] = view_of(codes_.column(), DType::kU8, {blocks, static_cast<int64_t>(codes_.bytes()), 64});
  if (!vectors_.empty()) {
    all["vectors"] = view_of(vectors_.column(), stored_dtype(vectors_.store()), {n, dim});
  }
  if (!bytes_.empty()) all["bytes"] = view_of(bytes_.column(), DType::kI8, {n, dim});
  if (const auto tables = static_cast<int64_t>(layout_->tables.tables); tables > 0) {
    all["rows"] = view_of(rows_, DType::kU64, {n, words});
    write_tables(layout_->tables, tables_.columns(), n, all);
  }
  return all;
}

}  // namespace snncore::lsh
