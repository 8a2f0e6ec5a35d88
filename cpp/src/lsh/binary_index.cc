#include <snncore/lsh.h>

#include <string>

#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "lsh/code_blocks.h"
#include "lsh/search.h"

namespace snncore {
namespace {

constexpr int64_t kMaxBits = 65536;
constexpr int64_t kMaxK = INT32_MAX;

void require_rows(const BitTensor& array, int64_t bits, const char* what, const char* axis) {
  require(array.shape().size() == 2 && array.shape()[1] == bits, ErrorCode::kShape,
          std::string("BinaryIndex: expected ") + what + " of shape [" + axis + ", " + std::to_string(bits) +
              "], received " + shape_string(array.shape()));
}

}  // namespace

struct BinaryIndex::Impl {
  int64_t bits;
  lsh::CodeBlocks codes;
};

BinaryIndex::BinaryIndex(int64_t bits) {
  const char* problem = kernels::selection_error();
  require(problem == nullptr, ErrorCode::kInvalidArgument, problem == nullptr ? "" : problem);
  require(
      bits >= 1 && bits <= kMaxBits, ErrorCode::kInvalidArgument,
      "BinaryIndex: expected 1 to " + std::to_string(kMaxBits) + " bits, received " + std::to_string(bits));
  impl_ = std::make_unique<Impl>(Impl{bits, lsh::CodeBlocks(static_cast<size_t>(bits))});
}

BinaryIndex::~BinaryIndex() = default;
BinaryIndex::BinaryIndex(BinaryIndex&&) noexcept = default;
BinaryIndex& BinaryIndex::operator=(BinaryIndex&&) noexcept = default;

int64_t BinaryIndex::bits() const noexcept { return impl_->bits; }
int64_t BinaryIndex::size() const noexcept { return static_cast<int64_t>(impl_->codes.size()); }

void BinaryIndex::add(const BitTensor& codes) {
  require_rows(codes, impl_->bits, "codes", "n");
  impl_->codes.add(codes.words(), codes.rows());
}

void BinaryIndex::search(const BitTensor& queries, int64_t k, std::span<int64_t> ids,
                         std::span<int32_t> distances, int threads) const {
  require_rows(queries, impl_->bits, "queries", "q");
  require(k >= 1 && k <= kMaxK, ErrorCode::kInvalidArgument,
          "BinaryIndex: expected k of 1 to " + std::to_string(kMaxK) + ", received " + std::to_string(k));
  check_threads("BinaryIndex", threads);
  const uint64_t places = uint64_t{queries.rows()} * static_cast<uint64_t>(k);
  require(ids.size() == places && distances.size() == places, ErrorCode::kInvalidArgument,
          "BinaryIndex: expected room for " + std::to_string(places) + " results, received " +
              std::to_string(ids.size()) + " ids and " + std::to_string(distances.size()) + " distances");
  lsh::search(impl_->codes, nullptr, {queries.words(), queries.rows()}, static_cast<size_t>(k),
              static_cast<size_t>(threads), ids.data(), distances.data());
}

}  // namespace snncore
