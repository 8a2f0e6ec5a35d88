#include "lsh/index_impl.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "lsh/each.h"

namespace snncore {
namespace {

void require_in(int64_t value, int64_t least, int64_t most, const char* what) {
  require(value >= least && value <= most, ErrorCode::kInvalidArgument,
          "Index: expected " + std::string(what) + " of " + std::to_string(least) + " to " +
              std::to_string(most) + ", received " + std::to_string(value));
}

}  // namespace

namespace lsh {

void check_options(const IndexOptions& o) {
  const int64_t extra = o.metric == Metric::kInnerProduct ? 1 : 0;
  require_in(o.dim, 1, static_cast<int64_t>(kMaxDim) - extra, "dim");
  require_in(o.bits, kBitStep, kMaxBits, "bits");
  require(o.bits % static_cast<int64_t>(kBitStep) == 0, ErrorCode::kInvalidArgument,
          "Index: expected a multiple of 64 bits, received " + std::to_string(o.bits));
  require_in(o.key_bits, 1, kMaxKeyBits, "key_bits");
  require_in(o.tables, 0, kMaxBits, "tables");
  require(o.tables * o.key_bits <= o.bits, ErrorCode::kInvalidArgument,
          "Index: expected tables * key_bits of at most the " + std::to_string(o.bits) + " bits, received " +
              std::to_string(o.tables) + " * " + std::to_string(o.key_bits));
  require(!o.bytes_first || o.store == Store::kF32 || o.store == Store::kF16, ErrorCode::kInvalidArgument,
          "Index: bytes that choose whose exact distances are computed need vectors stored as float32 or "
          "float16");
}

Layout layout_of(const IndexOptions& o) {
  Layout layout;
  layout.dim = static_cast<size_t>(o.dim);
  layout.bits = static_cast<size_t>(o.bits);
  layout.metric = o.metric;
  layout.tables = {static_cast<size_t>(o.tables), static_cast<size_t>(o.key_bits)};
  layout.store = o.store;
  layout.bytes_first = o.bytes_first;
  return layout;
}

void encode_rows(const Index::Impl& index, const float* rows, size_t count, size_t threads, uint64_t* codes) {
  constexpr size_t kRows = 256;  // at a time
  struct Scratch {
    std::vector<float> embedded, logits;
  };
  std::vector<Scratch> scratch(threads);
  for_each_item((count + kRows - 1) / kRows, threads, [&](size_t worker, size_t item) {
    auto& [embedded, logits] = scratch[worker];
    const size_t first = item * kRows, some = std::min(kRows, count - first);
    embedded.resize(some * index.space.encoder_dim());
    logits.resize(some * index.bits());
    index.space.embed(rows + first * index.dim(), some, embedded.data());
    index.encoder->logits(embedded.data(), some, logits.data());
    sign_bits(logits.data(), some, index.bits(), codes + first * index.words());
  });
}

}  // namespace lsh

Index::Impl::Impl(const IndexOptions& given)
    : options((lsh::check_options(given), given)),
      space(given.metric, static_cast<size_t>(given.dim)),
      all(lsh::layout_of(given)) {}

void Index::Impl::require_fitted() const {
  require(encoder != nullptr, ErrorCode::kState, "Index: not fitted yet: call fit() first");
}

size_t Index::Impl::count_rows(std::span<const float> values, const char* what) const {
  require(values.size() % dim() == 0, ErrorCode::kShape,
          "Index: expected " + std::string(what) + " of shape [n, " + std::to_string(dim()) + "], received " +
              std::to_string(values.size()) + " values");
  constexpr float kMost = 0x1p55F;  // squared distances between vectors of kMaxDim of them are finite
  const auto bad = std::ranges::find_if_not(values, [](float v) { return std::abs(v) <= kMost; });
  if (bad == values.end()) return values.size() / dim();
  const std::string row = "row " + std::to_string(static_cast<size_t>(bad - values.begin()) / dim());
  throw Error(ErrorCode::kInvalidArgument,
              std::isfinite(*bad)
                  ? "Index: expected " + std::string(what) + " of values up to 2^55, " + row + " has more"
                  : "Index: expected finite " + std::string(what) + ", " + row + " is not");
}

void Index::Impl::require_to_store(std::span<const float> rows) const {
  if (options.store != Store::kF16) return;
  const auto bad = std::ranges::find_if_not(rows, [](float v) { return std::abs(v) < lsh::kHalfEnd; });
  if (bad == rows.end()) return;
  throw Error(ErrorCode::kInvalidArgument,
              "Index: expected vectors of values up to 65504, which float16 holds, row " +
                  std::to_string(static_cast<size_t>(bad - rows.begin()) / dim()) +
                  " has more: store them as float32");
}

void Index::Impl::require_sound() const {
  require(!damaged, ErrorCode::kFormat,
          "the index is damaged: its tables point outside; open it with verify to be sure");
}

}  // namespace snncore
