// What an Index is made of.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <snncore/lsh.h>

#include "lsh/collection.h"
#include "lsh/encoder.h"
#include "lsh/space.h"

namespace snncore {

struct Index::Impl {
  explicit Impl(const IndexOptions& given);

  IndexOptions options;
  lsh::Space space;
  std::shared_ptr<const lsh::Encoder> encoder;  // null until fitted
  lsh::Collection all;
  mutable std::atomic<int64_t> queries{0}, candidates{0}, buckets{0};
  mutable std::atomic<bool> damaged{false};

  [[nodiscard]] size_t dim() const noexcept { return static_cast<size_t>(options.dim); }
  [[nodiscard]] size_t bits() const noexcept { return static_cast<size_t>(options.bits); }
  [[nodiscard]] size_t words() const noexcept { return bits() / 64; }

  void require_fitted() const;
  /// The number of rows in `values`, finite, up to 2^55 and [n, dim].
  size_t count_rows(std::span<const float> values, const char* what) const;
  /// Throws Error(kInvalidArgument) for values that would be stored as infinite.
  void require_to_store(std::span<const float> rows) const;
  /// Throws Error(kFormat) when a search met a damaged file.
  void require_sound() const;
};

namespace lsh {

/// Throws Error(kInvalidArgument) for options out of range.
void check_options(const IndexOptions& options);
Layout layout_of(const IndexOptions& options);

/// Codes of vectors as they are stored, [count][words].
void encode_rows(const Index::Impl& index, const float* rows, size_t count, size_t threads, uint64_t* codes);

void search_index(const Index::Impl& index, std::span<const float> queries, const SearchOptions& options,
                  int64_t* ids, float* distances);
IndexRange range_search_index(const Index::Impl& index, std::span<const float> queries, size_t radius,
                              const IndexFilter& filter, Plan plan, size_t threads);

void save_index(const Index::Impl& index, const std::string& path);
std::unique_ptr<Index::Impl> open_index(const std::string& path, bool mmap, bool verify);

}  // namespace lsh
}  // namespace snncore
