// BinaryIndex against sorting all distances.
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <snncore/error.h>
#include <snncore/lsh.h>

#include "kernels/common.h"

namespace snncore::test {
namespace {

struct Found {
  std::vector<int64_t> ids;
  std::vector<int32_t> distances;
  bool operator==(const Found&) const = default;
};

// Rows that are copies of a few, with some bits flipped: near and far codes, and many ties.
BitTensor random_codes(Random& random, int64_t rows, int64_t bits, double flips) {
  const double density = random.pick({0.0, 0.5, 1.0});
  std::vector<uint8_t> first(static_cast<size_t>(bits)), all(static_cast<size_t>(rows * bits));
  for (uint8_t& bit : first) bit = random.chance(density) ? 1 : 0;
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<uint8_t>(first[i % first.size()] ^ (random.chance(flips) ? 1 : 0));
  }
  return BitTensor::pack({all.data(), DType::kU8, {rows, bits}});
}

int32_t distance(const BitTensor& a, size_t i, const BitTensor& b, size_t j) {
  int32_t sum = 0;
  for (size_t w = 0; w < a.row_words(); ++w) {
    uint64_t x = a.words()[i * a.row_words() + w] ^ b.words()[j * b.row_words() + w];
    for (; x != 0; x &= x - 1) ++sum;
  }
  return sum;
}

Found sorted(const BitTensor& queries, const BitTensor& codes, size_t k) {
  Found found;
  for (size_t q = 0; q < queries.rows(); ++q) {
    std::vector<std::pair<int32_t, int64_t>> all;
    for (size_t c = 0; c < codes.rows(); ++c) {
      all.emplace_back(distance(queries, q, codes, c), static_cast<int64_t>(c));
    }
    std::sort(all.begin(), all.end());
    all.resize(k, {INT32_MAX, -1});
    for (const auto& [d, id] : all) {
      found.ids.push_back(id);
      found.distances.push_back(d);
    }
  }
  return found;
}

Found search(const BinaryIndex& index, const BitTensor& queries, size_t k, int threads) {
  Found found{std::vector<int64_t>(queries.rows() * k), std::vector<int32_t>(queries.rows() * k)};
  index.search(queries, static_cast<int64_t>(k), found.ids, found.distances, threads);
  return found;
}

TEST_CASE("BinaryIndex finds what sorting finds, for any number of threads") {
  Random random(31);
#if defined(SNNCORE_TEST_THIN)
  constexpr int kCases = 20;
#else
  constexpr int kCases = 150;
#endif
  for (int i = 0; i < kCases; ++i) {
    const int64_t bits = random.pick({random.in(1, 70), random.in(1, 1100), int64_t{256}});
    const int64_t rows = random.pick({random.in(1, 70), random.in(1, 3000), random.in(8000, 9000)});
    const BitTensor codes = random_codes(random, rows, bits, random.pick({0.0, 0.01, 0.2, 0.5}));
    const BitTensor queries = random_codes(random, random.in(1, 70), bits, random.pick({0.0, 0.02, 0.5}));
    const size_t k = random.pick({size_t{1}, size_t{10}, random.size(1, 300)});
    BinaryIndex index(bits);
    index.add(codes);
    const Found expected = sorted(queries, codes, k);
    for (const int threads : {1, 2, 5}) {
      CAPTURE(bits);
      CAPTURE(rows);
      CAPTURE(queries.rows());
      CAPTURE(k);
      CAPTURE(threads);
      CHECK(search(index, queries, k, threads) == expected);
    }
  }
}

TEST_CASE("codes may be added in pieces of any size") {
  Random random(32);
  const BitTensor all = random_codes(random, 700, 77, 0.3), queries = random_codes(random, 5, 77, 0.3);
  BinaryIndex index(77);
  for (int64_t first = 0; first < 700;) {
    const int64_t count = std::min<int64_t>(random.in(0, 130), 700 - first);
    const uint64_t* words = all.words() + static_cast<size_t>(first) * all.row_words();
    index.add(BitTensor::pack({words, DType::kB1, {count, 77}}));
    first += count;
    CHECK(index.size() == first);
  }
  CHECK(search(index, queries, 33, 2) == sorted(queries, all, 33));
}

TEST_CASE("nothing to find, nothing to look for") {
  Random random(33);
  BinaryIndex index(9);
  const BitTensor two = random_codes(random, 2, 9, 0.5);
  CHECK(search(index, two, 2, 2) == Found{{-1, -1, -1, -1}, std::vector<int32_t>(4, INT32_MAX)});
  index.add(two);
  CHECK(search(index, BitTensor::pack({two.words(), DType::kB1, {0, 9}}), 3, 1) == Found{});
}

TEST_CASE("the longest codes") {
  Random random(34);
  const BitTensor codes = random_codes(random, 70, 65536, 0.5), queries = random_codes(random, 3, 65536, 1.0);
  BinaryIndex index(65536);
  index.add(codes);
  CHECK(search(index, queries, 75, 2) == sorted(queries, codes, 75));
}

TEST_CASE("wrong arguments are refused in one sentence and change nothing") {
  Random random(35);
  CHECK_THROWS_AS(BinaryIndex(0), Error);
  CHECK_THROWS_AS(BinaryIndex(65537), Error);
  BinaryIndex index(8);
  const BitTensor codes = random_codes(random, 3, 8, 0.5);
  index.add(codes);
  CHECK_THROWS_AS(index.add(random_codes(random, 3, 9, 0.5)), Error);
  CHECK(index.size() == 3);
  std::vector<int64_t> ids(6);
  std::vector<int32_t> distances(6);
  const auto refused = [&](const BitTensor& queries, int64_t k, int threads) {
    CHECK_THROWS_AS(index.search(queries, k, ids, distances, threads), Error);
  };
  refused(codes, 0, 1);
  refused(codes, -1, 1);
  refused(codes, INT64_MAX, 1);
  refused(codes, 3, 1);
  refused(codes, 2, 0);
  refused(codes, 2, 257);
  refused(random_codes(random, 3, 7, 0.5), 2, 1);
}

}  // namespace
}  // namespace snncore::test
