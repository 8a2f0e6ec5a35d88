/// \file
/// Nearest neighbours: of binary codes, and of vectors by way of learned codes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <snncore/encoder.h>
#include <snncore/functional.h>

namespace snncore {

/// Codes of one length, laid out for scanning, and the nearest of them by Hamming distance: exact, the same
/// on every CPU and for any number of threads. Ids count the codes in the order in which they were added,
/// from 0. Threads may search at the same time; adding needs the index for itself.
class SNNCORE_API BinaryIndex {
 public:
  /// Codes of `bits` bits, 1..65,536. Throws Error(kInvalidArgument).
  explicit BinaryIndex(int64_t bits);
  ~BinaryIndex();
  BinaryIndex(BinaryIndex&&) noexcept;
  BinaryIndex& operator=(BinaryIndex&&) noexcept;

  [[nodiscard]] int64_t bits() const noexcept;
  [[nodiscard]] int64_t size() const noexcept;

  /// Appends codes of shape [n, bits]. Throws Error(kShape) and changes nothing.
  void add(const BitTensor& codes);

  /// For each row of `queries`, shape [q, bits], the k nearest codes, nearest first, among equally near ones
  /// the one added first. `ids` and `distances` are [q, k]; where there are fewer than k codes the rest is -1
  /// and INT32_MAX. `threads` is 1..256. Throws Error(kShape), or Error(kInvalidArgument) for k or threads
  /// out of range and for spans that are not q * k long.
  void search(const BitTensor& queries, int64_t k, std::span<int64_t> ids, std::span<int32_t> distances,
              int threads = 1) const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// How far two vectors are from each other; smaller is nearer. kL2: the Euclidean distance. kCosine: 1 - the
/// cosine, 1 where a vector is zero. kInnerProduct: minus the product.
enum class Metric : uint8_t { kL2, kCosine, kInnerProduct };

/// How an Index finds the codes near a query's. kScan: all of them. kMultiTable: those in the likeliest
/// buckets of its tables. kMih: those that the tables prove to be the nearest, the same as kScan. kAuto:
/// kScan for few codes or strict filters, else kMultiTable.
enum class Plan : uint8_t { kAuto, kScan, kMultiTable, kMih };

/// What an Index keeps of the vectors, for exact distances and get(): float32, float16, bytes on a grid that
/// fit() lays over their range, or nothing.
enum class Store : uint8_t { kNone, kF32, kF16, kI8 };

struct IndexOptions {
  int64_t dim = 0;     ///< 1..32,768, one less for kInnerProduct
  int64_t bits = 256;  ///< a multiple of 64, 64..1,024
  Metric metric = Metric::kL2;
  std::string encoder = "itq";  ///< "srp", "itq", "e2lsh", "cross_polytope"
  uint64_t seed = 0;
  int64_t tables = 8;     ///< 0: scan only; tables * key_bits is at most `bits`
  int64_t key_bits = 16;  ///< 1..30; above 20 only the keys that occur are listed
  Store store = Store::kF16;
  bool bytes_first =
      false;  ///< also keep the vectors as bytes, which choose whose exact distances are computed
};

/// Which vectors a search may find: all, those of some ids, or those of the slots whose bit is set.
struct IndexFilter {
  enum class Kind : uint8_t { kAll, kIds, kSlots } kind = Kind::kAll;
  /// kIds: ids in any order, unknown ones allowed. kSlots: ceil(slots() / 64) words, bit i % 64 of word i /
  /// 64 for slot i.
  std::span<const uint64_t> values{};
};

struct SearchOptions {
  int64_t k = 10;
  int64_t probes = 32;  ///< buckets for each table, on average: the likeliest of all tables come first
  int64_t rerank = -1;  ///< how many of the nearest codes get exact distances; -1: max(64, 10 * k); 0: none
  bool asymmetric = false;  ///< rank codes by the query's logits before anything is exact
  Plan plan = Plan::kAuto;
  IndexFilter filter{};
  int threads = 1;  ///< 1..256
  /// kMultiTable also stops as soon as its buckets held so many codes: the one that is looked at is looked at
  /// to its end. -1: never.
  int64_t max_candidates = -1;
  /// kMultiTable also stops at a bucket that is less likely: 1 is the query's own, less the share that the
  /// squared logits of the bits in which a bucket differs have in those of a key, on average over the tables.
  /// 0..1; 0: never.
  float min_score = 0;
};

/// What range_search() found: those of query q are first[q]..first[q + 1] - 1.
struct IndexRange {
  std::vector<int64_t> first;
  std::vector<uint64_t> ids;
  std::vector<int32_t> distances;
};

struct IndexStats {
  int64_t vectors = 0, removed = 0, segments = 0;
  std::map<std::string, int64_t> bytes;              ///< of each section, on the heap or in the mapped file
  int64_t queries = 0, candidates = 0, buckets = 0;  ///< since the index was made or opened
};

/// Vectors, their binary codes, and the nearest of them: codes choose candidates, exact distances rank them.
/// Codes, Hamming distances and whom the stages choose are the same on every CPU and for any number of
/// threads. Slots count the vectors in the order in which they came; among equally near ones the earlier slot
/// comes first. Threads may search at the same time; whatever changes the index needs it for itself.
class SNNCORE_API Index {
 public:
  /// Throws Error(kInvalidArgument) for options out of range.
  explicit Index(const IndexOptions& options);
  ~Index();
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;

  [[nodiscard]] const IndexOptions& options() const noexcept;
  [[nodiscard]] bool fitted() const noexcept;
  [[nodiscard]] int64_t size() const noexcept;   ///< vectors that are there
  [[nodiscard]] int64_t slots() const noexcept;  ///< with removed ones that still have a slot
  /// The id of each slot; a removed one's is what it was.
  [[nodiscard]] std::vector<uint64_t> ids() const;

  /// Fits the encoder to rows [n, dim]; once, before anything is added. Throws Error(kShape),
  /// Error(kInvalidArgument) for values that are not finite or above 2^55, Error(kState) when it is fitted
  /// already.
  void fit(std::span<const float> rows);
  /// The same with an encoder that is fitted already, to what embed() gives; the index is then of its kind.
  /// Throws also Error(kInvalidArgument) for an encoder of another dim or number of bits.
  void fit(std::span<const float> rows, const Encoder& encoder);
  /// Rows [n, dim] as the encoder sees them, [n, dim] or, for kInnerProduct, [n, dim + 1]: cosine has them of
  /// length 1; products have one more coordinate, which makes them as long as the longest of them.
  [[nodiscard]] std::vector<float> embed(std::span<const float> rows) const;

  /// Adds rows [n, dim] under ids that are new. Throws as fit() does, and Error(kInvalidArgument) for an id
  /// that is there or occurs twice, values above 65504 where kF16 would store them, or threads out of 1..256;
  /// then nothing has changed. The index is the same for any number of threads.
  void add(std::span<const uint64_t> ids, std::span<const float> rows, int threads = 1);
  /// The same, where an id that is there loses its vector: the new one comes last.
  void upsert(std::span<const uint64_t> ids, std::span<const float> rows, int threads = 1);
  /// Removes those of `ids` that are there and returns how many.
  int64_t remove(std::span<const uint64_t> ids);
  /// Gives the place of removed vectors back, which happens by itself when a fifth of a segment is dead.
  void compact();

  [[nodiscard]] bool contains(uint64_t id) const;
  /// Vectors as they are stored, [n, dim]. Throws Error(kInvalidArgument) for an id that is not there,
  /// Error(kState) where nothing is stored.
  void get(std::span<const uint64_t> ids, std::span<float> rows) const;
  /// Codes of rows [n, dim], [n, bits / 64]: what add() would store. The bits that fill the tables evenly
  /// come first: an encoder that was given to fit() has the same in an order of its own.
  void encode(std::span<const float> rows, std::span<uint64_t> codes) const;

  /// The k nearest of each of `queries`, [q, dim]: ids and distances [q, k], nearest first, the places that
  /// nothing fills -1 and infinity. Ids above 2^63 - 1 come out negative. Distances are those of the metric,
  /// or of the codes where nothing is ranked exactly. With a filter there are k results where k vectors pass.
  void search(std::span<const float> queries, const SearchOptions& options, std::span<int64_t> ids,
              std::span<float> distances) const;
  /// Whose code differs from the query's in at most `radius` bits: all of them, nearest first.
  [[nodiscard]] IndexRange range_search(std::span<const float> queries, int64_t radius,
                                        const IndexFilter& filter = {}, Plan plan = Plan::kAuto,
                                        int threads = 1) const;

  /// Writes a file under a temporary name, then renames it. Throws Error(kIo).
  void save(const std::string& path) const;
  /// Opens a file, mapped or read. Checks its header and all sizes; with `verify` also a checksum of
  /// everything. Throws Error(kIo), Error(kFormat).
  static Index open(const std::string& path, bool mmap = true, bool verify = false);

  [[nodiscard]] IndexStats stats() const;

  struct Impl;

 private:
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace snncore
