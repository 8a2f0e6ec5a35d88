// The parts of an index: buckets, the order of probes, half precision, the grid of bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "kernels/common.h"
#include "lsh/bit_order.h"
#include "lsh/probes.h"
#include "lsh/ranked.h"
#include "lsh/vectors.h"

namespace snncore::test {
namespace {

using namespace lsh;

TEST_CASE("probes come in the order of all sets of flips, sorted") {
  Random random(81);
  for (int round = 0; round < 30; ++round) {
    const TableShape shape{random.size(1, 5), random.size(1, 12)};
    std::vector<float> logits(shape.tables * shape.key_bits);
    std::vector<uint64_t> code(1);
    // Few values: many sets are equally likely.
    for (size_t i = 0; i < logits.size(); ++i) {
      logits[i] = round % 2 == 0 ? random.real() : static_cast<float>(random.in(-3, 3));
      if (logits[i] >= 0) set_bit(code.data(), i);
    }
    std::vector<std::tuple<float, uint32_t, uint32_t, uint32_t>> wanted;
    for (uint32_t t = 0; t < shape.tables; ++t) {
      std::vector<std::pair<float, uint32_t>> bits;
      for (uint32_t i = 0; i < shape.key_bits; ++i) {
        const float z = logits[t * shape.key_bits + i];
        bits.emplace_back(z * z, i);
      }
      std::sort(bits.begin(), bits.end());
      for (uint32_t flips = 0; flips < shape.buckets(); ++flips) {
        float score = 0;
        uint32_t key = shape.key(code.data(), t);
        for (uint32_t i = 0; i < shape.key_bits; ++i) {
          if ((flips >> i & 1) == 0) continue;
          score += bits[i].first;
          key ^= uint32_t{1} << bits[i].second;
        }
        wanted.emplace_back(score, t, flips, key);
      }
    }
    std::sort(wanted.begin(), wanted.end());
    Probes probes(shape);
    probes.start(logits.data(), code.data());
    Probes::Probe probe{};
    for (const auto& [score, table, flips, key] : wanted) {
      REQUIRE(probes.next(probe));
      CHECK(probe.score == score);
      CHECK(probe.table == table);
      CHECK(probe.key == key);
    }
    CHECK_FALSE(probes.next(probe));
  }
}

TEST_CASE("a bucket holds the codes with its key, ascending") {
  Random random(82);
  for (const size_t key_bits : {size_t{1}, size_t{7}, size_t{13}}) {
    const TableShape shape{128 / key_bits, key_bits};
    const size_t count = random.size(1, 500);
    std::vector<uint64_t> codes(count * 2);
    for (uint64_t& word : codes) word = random.next() & random.next() & random.next();
    const Tables tables(shape, codes.data(), 2, count);
    std::atomic<bool> damaged{false};
    for (size_t t = 0; t < shape.tables; ++t) {
      size_t all = 0;
      for (uint32_t key = 0; key < shape.buckets(); ++key) {
        const auto bucket = tables.bucket(t, key, damaged);
        all += bucket.size();
        CHECK(std::is_sorted(bucket.begin(), bucket.end()));
        for (const uint32_t slot : bucket) CHECK(shape.key(codes.data() + slot * 2, t) == key);
      }
      CHECK(all == count);
    }
    CHECK_FALSE(damaged);
  }
}

TEST_CASE("keys that are listed only where they occur have the buckets that all keys have") {
  Random random(87);
  for (const size_t key_bits : {size_t{21}, size_t{30}}) {
    const TableShape shape{128 / key_bits, key_bits};
    const size_t count = random.size(100, 2000);
    std::vector<uint64_t> codes(count * 2);
    for (uint64_t& word : codes) word = random.next() & random.next() & random.next() & random.next();
    const Tables tables(shape, codes.data(), 2, count);
    const Tables again(shape, codes.data(), 2, count, 3);
    std::atomic<bool> damaged{false};
    for (size_t t = 0; t < shape.tables; ++t) {
      for (size_t i = 0; i < count; ++i) {
        const uint32_t key = shape.key(codes.data() + i * 2, t);
        std::vector<uint32_t> wanted;
        for (uint32_t j = 0; j < count; ++j) {
          if (shape.key(codes.data() + j * 2, t) == key) wanted.push_back(j);
        }
        for (const Tables* one : {&tables, &again}) {
          const auto bucket = one->bucket(t, key, damaged);
          CHECK(std::vector<uint32_t>(bucket.begin(), bucket.end()) == wanted);
        }
      }
      CHECK(tables.bucket(t, (uint32_t{1} << key_bits) - 1, damaged).empty());
    }
    CHECK_FALSE(damaged);
  }
}

TEST_CASE("a damaged list of keys is told, and leads nowhere outside") {
  const TableShape shape{2, 21};
  std::vector<uint64_t> codes(300);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = i * 77;
  const Tables whole(shape, codes.data(), 1, codes.size());
  const TableColumns& columns = whole.columns();
  const auto with = [&](std::vector<uint64_t> first, size_t at, uint32_t offset) {
    TableColumns c;
    c.slots.append(columns.slots.data(), columns.slots.size());
    c.keys.append(columns.keys.data(), columns.keys.size());
    c.offsets.append(columns.offsets.data(), columns.offsets.size());
    c.offsets.writable()[at] = offset;
    c.first.append(first.data(), first.size());
    return Tables(shape, codes.size(), std::move(c));
  };
  const uint64_t a = columns.first[1], b = columns.first[2];
  const auto damaged_by = [&](const Tables& tables, uint32_t key) {
    std::atomic<bool> damaged{false};
    for (size_t table = 0; table < shape.tables; ++table) {
      const auto bucket = tables.bucket(table, key, damaged);
      const uint32_t* slots = tables.columns().slots.data() + table * codes.size();
      const bool inside = bucket.data() >= slots && bucket.data() + bucket.size() <= slots + codes.size();
      CHECK((bucket.empty() || inside));
    }
    return damaged.load();
  };
  const auto key = static_cast<uint32_t>(codes[5] & 0x1fffff);
  const uint32_t sound = columns.offsets[5];
  CHECK_FALSE(damaged_by(with({0, a, b}, 5, sound), key));
  CHECK(damaged_by(with({0, a, b + 1}, 5, sound), key));
  CHECK(damaged_by(with({a, 0, b}, 5, sound), key));
  CHECK(damaged_by(with({0, ~uint64_t{0}, b}, 5, sound), key));
  CHECK(damaged_by(with({0, a, b}, 5, 301), key));
  CHECK(damaged_by(with({0, a, b}, 5, ~uint32_t{0}), key));
}

// Pairs of codes with the same key, one table after the other.
std::vector<size_t> pairs_of(const std::vector<uint64_t>& codes, size_t words,
                             const std::vector<uint32_t>& order, const TableShape& shape) {
  std::vector<size_t> pairs(shape.tables);
  for (size_t t = 0; t < shape.tables; ++t) {
    std::map<uint64_t, size_t> buckets;
    for (size_t row = 0; row < codes.size(); row += words) {
      uint64_t key = 0;
      for (size_t i = 0; i < shape.key_bits; ++i) {
        key |= uint64_t{get_bit(codes.data() + row, order[t * shape.key_bits + i])} << i;
      }
      ++buckets[key];
    }
    for (const auto& [key, size] : buckets) pairs[t] += size * size;
  }
  return pairs;
}

TEST_CASE("bits for tables: a permutation, each the one that leaves the fewest pairs") {
  Random random(88);
  const TableShape shape{4, 6};
  constexpr size_t kCodes = 900, kBits = 128, kWords = 2;
  std::vector<uint64_t> codes(kCodes * kWords);
  // Bit 0 is always set, bits 1 and 2 are the same, bits 3 to 63 mostly clear, the others even.
  for (size_t row = 0; row < codes.size(); row += kWords) {
    codes[row] = (random.next() & random.next() & random.next()) | 1;
    codes[row] = (codes[row] & ~uint64_t{4}) | (codes[row] << 1 & 4);
    codes[row + 1] = random.next();
  }
  const std::vector<uint32_t> order = even_order(codes.data(), kCodes, kBits, shape);
  std::vector<uint32_t> sorted = order, identity(kBits);
  std::sort(sorted.begin(), sorted.end());
  std::iota(identity.begin(), identity.end(), 0);
  CHECK(sorted == identity);
  CHECK(std::count_if(order.begin(), order.begin() + 24, [](uint32_t b) { return b < 64; }) == 0);
  const auto chosen = pairs_of(codes, kWords, order, shape),
             as_they_are = pairs_of(codes, kWords, identity, shape);
  for (size_t t = 0; t < shape.tables; ++t) CHECK(chosen[t] < as_they_are[t]);
  // No other bit would have been better at its turn.
  for (size_t i = 0; i < shape.key_bits; ++i) {
    const TableShape first{1, i + 1};
    const size_t best = pairs_of(codes, kWords, order, first)[0];
    std::vector<uint32_t> other = order;
    for (size_t j = i + 1; j < kBits; ++j) {
      other[i] = order[j];
      const size_t pairs = pairs_of(codes, kWords, other, first)[0];
      CHECK(pairs >= best);
    }
  }
  CHECK(even_order(codes.data(), 1, kBits, shape)[0] == 0);
}

TEST_CASE("half precision: every value comes back, others go to the nearest, ties to even") {
  for (uint32_t half = 0; half < 0x10000; ++half) {
    const auto bits = static_cast<uint16_t>(half);
    float value = 0;
    from_half(&bits, 1, &value);
    const bool nan = (half & 0x7fff) > 0x7c00;
    CHECK(std::isnan(value) == nan);
    if (nan) continue;
    CHECK(to_half(value) == bits);
    const double exponent = std::ldexp(1.0, std::max(1, static_cast<int>(half >> 10 & 31)) - 25);
    const double fraction = (half & 0x3ff) + ((half & 0x7c00) != 0 ? 1024 : 0);
    if ((half & 0x7c00) != 0x7c00) CHECK(std::abs(value) == fraction * exponent);
    if ((half & 0x7fff) >= 0x7bff) continue;
    const auto next = static_cast<uint16_t>(half + 1);
    float above = 0;
    from_half(&next, 1, &above);
    const float middle = (value + above) / 2;
    CHECK(to_half(middle) == ((half & 1) == 0 ? bits : next));
    CHECK(to_half(std::nextafter(middle, value)) == bits);
    CHECK(to_half(std::nextafter(middle, above)) == next);
  }
  CHECK(to_half(65519.0F) == 0x7bff);
  CHECK(to_half(65520.0F) == 0x7c00);
}

TEST_CASE("ranks are in the order of floats") {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> ascending = {-inf, -2, -1.5F, -1e-40F, 0, 1e-40F, 1, 3e38F, inf};
  for (size_t i = 0; i < ascending.size(); ++i) {
    CHECK(from_order(in_order(ascending[i])) == ascending[i]);
    if (i > 0) CHECK(in_order(ascending[i - 1]) < in_order(ascending[i]));
  }
  CHECK(in_order(-0.0F) == in_order(0.0F));
  CHECK(in_order(std::nanf("")) == UINT32_MAX);
}

TEST_CASE("the grid holds whole numbers of a byte's range exactly") {
  std::vector<float> values(256), back(256);
  std::vector<int8_t> codes(256);
  for (size_t i = 0; i < 256; ++i) values[i] = static_cast<float>(i);
  const Grid grid = Grid::over(Metric::kL2, values.data(), 1, 256);
  grid.codes(values.data(), 256, codes.data());
  grid.values(codes.data(), 256, back.data());
  CHECK(back == values);
  const float outside[] = {-5, 300};
  grid.codes(outside, 2, codes.data());
  CHECK(codes[0] == -128);
  CHECK(codes[1] == 127);
}

}  // namespace
}  // namespace snncore::test
