#include <algorithm>
#include <cmath>
#include <utility>

#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "lsh/bit_order.h"
#include "lsh/distance.h"
#include "lsh/encoders/ordered.h"
#include "lsh/encoders/sample.h"
#include "lsh/fit_encoder.h"
#include "lsh/index_impl.h"

namespace snncore {
namespace {

constexpr int64_t kMaxK = INT32_MAX;
constexpr size_t kOrderedRows = 16384;  // whose codes tell which bits fill tables evenly

void require_places(uint64_t expected, size_t received, const char* what) {
  require(expected == received, ErrorCode::kInvalidArgument,
          "Index: expected room for " + std::to_string(expected) + " " + what + ", received " +
              std::to_string(received));
}

float longest_of(std::span<const float> rows, size_t dim) {
  float longest = 0;
  for (size_t at = 0; at < rows.size(); at += dim) {
    longest = std::max(longest, lsh::length_of(rows.data() + at, dim));
  }
  return longest;
}

lsh::Space space_of(const Index::Impl& index, std::span<const float> rows) {
  lsh::Space space = index.space;
  space.set_longest(longest_of(rows, index.dim()));
  return space;
}

void require_to_fit(const Index::Impl& index, std::span<const float> rows) {
  require(index.encoder == nullptr, ErrorCode::kState, "Index: fitted already");
  require(index.count_rows(rows, "vectors") > 0, ErrorCode::kInvalidArgument,
          "Index: expected at least one vector to fit to");
}

// Codes get the bits first that fill the tables evenly.
void order_bits(Index::Impl& index, std::span<const float> rows) {
  const lsh::Sample sample(rows.data(), rows.size() / index.dim(), index.dim(), kOrderedRows);
  std::vector<float> some(sample.size() * index.dim());
  for (size_t r = 0; r < sample.size(); ++r) {
    std::copy_n(sample.row(r), index.dim(), some.data() + r * index.dim());
  }
  std::vector<uint64_t> codes(sample.size() * index.words());
  lsh::encode_rows(index, some.data(), sample.size(), 1, codes.data());
  std::vector<uint32_t> order =
      lsh::even_order(codes.data(), sample.size(), index.bits(), index.all.layout().tables);
  index.encoder = std::make_shared<lsh::Ordered>(std::move(index.encoder), std::move(order));
}

void settle(Index::Impl& index, std::span<const float> rows, std::shared_ptr<const lsh::Encoder> encoder) {
  index.all.set_grid(
      lsh::Grid::over(index.space.metric(), rows.data(), rows.size() / index.dim(), index.dim()));
  index.space = space_of(index, rows);
  index.options.encoder = std::string(encoder->kind());
  index.encoder = std::move(encoder);
  if (index.options.tables > 0) order_bits(index, rows);
}

void require_unique(std::span<const uint64_t> ids) {
  std::vector<uint64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  require(twice == sorted.end(), ErrorCode::kInvalidArgument,
          "Index: expected every id once, received " + (twice == sorted.end() ? "" : std::to_string(*twice)) +
              " twice");
}

// Codes of what is to be added, all checks behind it.
std::vector<uint64_t> codes_to_add(const Index::Impl& index, std::span<const uint64_t> ids,
                                   std::span<const float> rows, int threads) {
  check_threads("Index", threads);
  index.require_fitted();
  const size_t count = index.count_rows(rows, "vectors");
  index.require_to_store(rows);
  require(ids.size() == count, ErrorCode::kShape,
          "Index: expected as many ids as vectors, received " + std::to_string(ids.size()) + " and " +
              std::to_string(count));
  require_unique(ids);
  std::vector<uint64_t> codes(count * index.words());
  lsh::encode_rows(index, rows.data(), count, static_cast<size_t>(threads), codes.data());
  return codes;
}

}  // namespace

Index::Index(const IndexOptions& options) {
  const char* problem = kernels::selection_error();
  require(problem == nullptr, ErrorCode::kInvalidArgument, problem == nullptr ? "" : problem);
  impl_ = std::make_unique<Impl>(options);
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;

const IndexOptions& Index::options() const noexcept { return impl_->options; }
bool Index::fitted() const noexcept { return impl_->encoder != nullptr; }
int64_t Index::size() const noexcept { return static_cast<int64_t>(impl_->all.size()); }
int64_t Index::slots() const noexcept { return static_cast<int64_t>(impl_->all.slots()); }

std::vector<uint64_t> Index::ids() const {
  std::vector<uint64_t> ids;
  ids.reserve(impl_->all.slots());
  for (const lsh::Segment& segment : impl_->all.segments()) {
    for (size_t slot = 0; slot < segment.size(); ++slot) ids.push_back(segment.id(slot));
  }
  return ids;
}

std::vector<float> Index::embed(std::span<const float> rows) const {
  const size_t count = impl_->count_rows(rows, "vectors");
  const lsh::Space space = space_of(*impl_, rows);
  std::vector<float> embedded(count * space.encoder_dim());
  space.embed(rows.data(), count, embedded.data());
  return embedded;
}

void Index::fit(std::span<const float> rows) {
  require_to_fit(*impl_, rows);
  const std::vector<float> embedded = embed(rows);
  const size_t dim = impl_->space.encoder_dim();
  settle(*impl_, rows,
         lsh::fit_encoder(impl_->options.encoder, embedded.data(), embedded.size() / dim, dim, impl_->bits(),
                          {.seed = impl_->options.seed}));
}

void Index::fit(std::span<const float> rows, const Encoder& encoder) {
  require_to_fit(*impl_, rows);
  const auto dim = static_cast<int64_t>(impl_->space.encoder_dim());
  require(encoder.dim() == dim && encoder.bits() == impl_->options.bits, ErrorCode::kInvalidArgument,
          "Index: expected an encoder of " + std::to_string(dim) + " dimensions and " +
              std::to_string(impl_->options.bits) + " bits, received one of " +
              std::to_string(encoder.dim()) + " and " + std::to_string(encoder.bits()));
  settle(*impl_, rows, encoder.share());
}

void Index::add(std::span<const uint64_t> ids, std::span<const float> rows, int threads) {
  const std::vector<uint64_t> codes = codes_to_add(*impl_, ids, rows, threads);
  for (const uint64_t id : ids) {
    require(!contains(id), ErrorCode::kInvalidArgument,
            "Index: id " + std::to_string(id) + " is there already; upsert() replaces");
  }
  impl_->all.add(ids, rows.data(), codes.data(), static_cast<size_t>(threads));
}

void Index::upsert(std::span<const uint64_t> ids, std::span<const float> rows, int threads) {
  const std::vector<uint64_t> codes = codes_to_add(*impl_, ids, rows, threads);
  impl_->all.remove(ids);
  impl_->all.add(ids, rows.data(), codes.data(), static_cast<size_t>(threads));
}

int64_t Index::remove(std::span<const uint64_t> ids) { return static_cast<int64_t>(impl_->all.remove(ids)); }
void Index::compact() { impl_->all.compact(); }
bool Index::contains(uint64_t id) const { return impl_->all.find(id).has_value(); }

void Index::get(std::span<const uint64_t> ids, std::span<float> rows) const {
  require(impl_->options.store != Store::kNone, ErrorCode::kState, "Index: vectors are not stored");
  require_places(ids.size() * impl_->dim(), rows.size(), "values");
  float* to = rows.data();
  for (const uint64_t id : ids) {
    const auto place = impl_->all.find(id);
    require(place.has_value(), ErrorCode::kInvalidArgument, "Index: there is no id " + std::to_string(id));
    const float* row = impl_->all.segments()[place->segment].vectors().row(place->slot, to);
    if (row != to) std::copy_n(row, impl_->dim(), to);
    to += impl_->dim();
  }
}

void Index::encode(std::span<const float> rows, std::span<uint64_t> codes) const {
  impl_->require_fitted();
  const size_t count = impl_->count_rows(rows, "vectors");
  require_places(count * impl_->words(), codes.size(), "words of codes");
  lsh::encode_rows(*impl_, rows.data(), count, 1, codes.data());
}

void Index::search(std::span<const float> queries, const SearchOptions& options, std::span<int64_t> ids,
                   std::span<float> distances) const {
  impl_->require_fitted();
  require(options.k >= 1 && options.k <= kMaxK, ErrorCode::kInvalidArgument,
          "Index: expected k of 1 to " + std::to_string(kMaxK) + ", received " + std::to_string(options.k));
  require(options.probes >= 1, ErrorCode::kInvalidArgument,
          "Index: expected at least 1 probe, received " + std::to_string(options.probes));
  require(options.rerank >= -1, ErrorCode::kInvalidArgument,
          "Index: expected rerank of at least 0, received " + std::to_string(options.rerank));
  require(options.max_candidates >= -1, ErrorCode::kInvalidArgument,
          "Index: expected max_candidates of at least 0, received " + std::to_string(options.max_candidates));
  require(options.min_score >= 0 && options.min_score <= 1, ErrorCode::kInvalidArgument,
          "Index: expected min_score of 0 to 1, received " + std::to_string(options.min_score));
  check_threads("Index", options.threads);
  const size_t count = impl_->count_rows(queries, "queries");
  const uint64_t places = uint64_t{count} * static_cast<uint64_t>(options.k);
  require_places(places, ids.size(), "ids");
  require_places(places, distances.size(), "distances");
  lsh::search_index(*impl_, queries, options, ids.data(), distances.data());
}

IndexRange Index::range_search(std::span<const float> queries, int64_t radius, const IndexFilter& filter,
                               Plan plan, int threads) const {
  impl_->require_fitted();
  require(radius >= 0 && radius <= impl_->options.bits, ErrorCode::kInvalidArgument,
          "Index: expected a radius of 0 to " + std::to_string(impl_->options.bits) + " bits, received " +
              std::to_string(radius));
  check_threads("Index", threads);
  (void)impl_->count_rows(queries, "queries");
  return lsh::range_search_index(*impl_, queries, static_cast<size_t>(radius), filter, plan,
                                 static_cast<size_t>(threads));
}

void Index::save(const std::string& path) const {
  impl_->require_fitted();
  lsh::save_index(*impl_, path);
}

Index Index::open(const std::string& path, bool mmap, bool verify) {
  return Index(lsh::open_index(path, mmap, verify));
}

IndexStats Index::stats() const {
  IndexStats stats;
  stats.vectors = size();
  stats.removed = slots() - size();
  stats.segments = static_cast<int64_t>(impl_->all.segments().size());
  stats.bytes = {{"encoder", 0}, {"ids", 0}, {"tombstones", 0}, {"codes", 0}, {"vectors", 0}, {"tables", 0}};
  if (fitted()) {
    for (const auto& [name, tensor] : impl_->encoder->tensors()) {
      stats.bytes["encoder"] += static_cast<int64_t>(tensor.bytes);
    }
  }
  for (const lsh::Segment& segment : impl_->all.segments()) segment.count_bytes(stats.bytes);
  stats.queries = impl_->queries;
  stats.candidates = impl_->candidates;
  stats.buckets = impl_->buckets;
  return stats;
}

}  // namespace snncore
