#include <algorithm>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::BytePlanes;
using kernels::ByteRows;
using kernels::kPlaneLanes;

// A random bit matrix of `count` packed rows.
class Bits {
 public:
  Bits(Random& random, size_t rows, size_t width, double density)
      : count(rows), columns(width), words(words_for(width)), data(rows * words) {
    for (size_t r = 0; r < count; ++r) {
      for (size_t c = 0; c < columns; ++c) {
        if (random.chance(density)) set_bit(row(r), c);
      }
    }
  }
  uint64_t* row(size_t r) { return data.data() + r * words; }
  bool at(size_t r, size_t c) { return r < count && c < columns && get_bit(row(r), c); }

  size_t count, columns, words;
  Guarded<uint64_t> data;
};

size_t lanes_for(size_t n) { return words_for(n) * kPlaneLanes; }

// Planes whose lanes are the rows of `bits`, written by the definition.
Guarded<uint8_t> planes_of(Bits& bits, size_t pitch) {
  Guarded<uint8_t> planes(8 * bits.words * pitch);
  for (size_t r = 0; r < bits.count; ++r) {
    for (size_t c = 0; c < bits.columns; ++c) {
      if (bits.at(r, c)) planes[c / 8 * pitch + r] |= static_cast<uint8_t>(1U << (c % 8));
    }
  }
  return planes;
}

double density(Random& random) {
  const double all[] = {0.0, 0.1, 0.5, 1.0};
  return random.pick(all);
}

void check_planes(Random& random, const std::vector<kernels::KernelTable>& tables, size_t count,
                  size_t columns) {
  Bits bits(random, count, columns, density(random));
  const size_t words = bits.words, planes = (count + 7) / 8;
  const size_t row_pitch = lanes_for(count) + random.size(0, 1) * kPlaneLanes;
  const size_t column_pitch = lanes_for(columns);
  for (const auto& table : tables) {
    CAPTURE(table.isa);
    CAPTURE(count);
    CAPTURE(columns);
    Guarded<uint8_t> by_row(8 * words * row_pitch), by_column(planes * column_pitch);
    Guarded<uint64_t> turned(columns * words_for(count));
    table.planes_of_rows_b1(bits.data.data(), words, count, by_row.data(), row_pitch);
    table.planes_of_columns_b1(bits.data.data(), words, count, by_column.data(), column_pitch);
    table.transpose_b1(bits.data.data(), words, count, columns, turned.data());
    bool same = by_row == planes_of(bits, row_pitch);
    for (size_t r = 0; r < 8 * planes; ++r) {
      for (size_t c = 0; c < column_pitch; ++c) {
        same = same && (by_column[r / 8 * column_pitch + c] >> (r % 8) & 1) == (bits.at(r, c) ? 1 : 0);
      }
    }
    for (size_t c = 0; c < columns; ++c) {
      const uint64_t* row = turned.data() + c * words_for(count);
      for (size_t r = 0; r < 64 * words_for(count); ++r) same = same && get_bit(row, r) == bits.at(r, c);
    }
    CHECK(same);
    CHECK((by_row.intact() && by_column.intact() && turned.intact()));
  }
}

TEST_CASE("bit matrices are turned as the definition says on every level") {
  Random random(1);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    check_planes(random, levels, n, random.size(1, 130));
    check_planes(random, levels, random.size(1, 130), n);
  }
}

// Rows by rows, either contiguous or read across planes; lanes are the rows of `keys`.
void check_products(Random& random, const std::vector<kernels::KernelTable>& tables, size_t rows,
                    size_t lanes, size_t inner) {
  const double p = density(random);
  Bits a(random, rows, inner, p), keys(random, lanes, inner, p);
  const size_t pitch = lanes_for(lanes), apart = pitch + random.size(0, 1) * kPlaneLanes,
               row_pitch = lanes_for(rows), words = words_for(lanes);
  Guarded<uint8_t> planes = planes_of(keys, pitch), across = planes_of(a, row_pitch);
  // Nobody may look at planes behind the last.
  std::fill(planes.data() + (inner + 7) / 8 * pitch, planes.data() + planes.size(), uint8_t{0xff});
  std::fill(across.data() + (inner + 7) / 8 * row_pitch, across.data() + across.size(), uint8_t{0xff});
  const BytePlanes b{planes.data(), pitch, (inner + 7) / 8, lanes};
  const ByteRows contiguous{reinterpret_cast<const uint8_t*>(a.data.data()), 8 * a.words, 1, rows};
  const ByteRows turned{across.data(), 1, row_pitch, rows};
  const size_t least[] = {0, 1, inner / 4, inner / 2, inner, inner + 1};
  const auto threshold = static_cast<uint32_t>(random.pick(least));
  const bool twice = random.chance(0.5);
  for (const auto& table : tables) {
    CAPTURE(table.isa);
    CAPTURE(rows);
    CAPTURE(lanes);
    CAPTURE(inner);
    CAPTURE(threshold);
    Guarded<uint16_t> counts(rows * apart), again(rows * pitch);
    Guarded<uint64_t> map(rows * words);
    table.gemm_b1b1_u16(contiguous, b, counts.data(), apart, false);
    table.gemm_b1b1_u16(turned, b, again.data(), pitch, false);
    if (twice) table.gemm_b1b1_u16(contiguous, b, again.data(), pitch, true);
    table.gemm_b1b1_b1(contiguous, b, threshold, map.data());
    bool same = true;
    for (size_t r = 0; r < rows; ++r) {
      for (size_t l = 0; l < lanes; ++l) {
        uint32_t expected = 0;
        for (size_t i = 0; i < inner; ++i) expected += a.at(r, i) && keys.at(l, i) ? 1 : 0;
        same =
            same && counts[r * apart + l] == expected && again[r * pitch + l] == (twice ? 2 : 1) * expected;
        same = same && get_bit(map.data() + r * words, l) == (expected >= threshold);
      }
      if (words > 0) same = same && (map[r * words + words - 1] & ~tail_mask(lanes)) == 0;
    }
    CHECK(same);
    CHECK((counts.intact() && again.intact() && map.intact()));
  }
}

TEST_CASE("gemm_b1b1 counts the bits that rows and lanes share on every level") {
  Random random(2);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    check_products(random, levels, random.size(1, 9), n, random.size(1, 130));
    check_products(random, levels, random.size(1, 9), random.size(1, 130), n);
    check_products(random, levels, n, random.size(1, 130), random.size(1, 20));
    check_products(random, levels, random.size(10, 70), n, random.size(1, 300));
  }
}

TEST_CASE("gemm_b1b1 with more planes than a byte counts") {
  Random random(3);
  const auto levels = tables();
  for (const size_t inner : {247, 248, 249, 255, 256, 257, 496, 497, 1000, 2047, 2048, 2049, 5000}) {
    check_products(random, levels, 5, 70, inner);
  }
  Bits all(random, 1, 65535, 1.0);
  Guarded<uint8_t> planes = planes_of(all, kPlaneLanes);
  const BytePlanes b{planes.data(), kPlaneLanes, 8192, 1};
  const ByteRows rows{reinterpret_cast<const uint8_t*>(all.data.data()), 8192, 1, 1};
  for (const auto& table : levels) {
    CAPTURE(table.isa);
    Guarded<uint16_t> counts(kPlaneLanes);
    table.gemm_b1b1_u16(rows, b, counts.data(), kPlaneLanes, false);
    CHECK(counts[0] == 65535);
  }
}

void check_sums(Random& random, const std::vector<kernels::KernelTable>& tables, size_t rows, size_t inputs,
                size_t lanes, uint32_t max_count) {
  Bits bits(random, rows, inputs, density(random));
  const size_t pitch = lanes_for(lanes) + random.size(0, 1) * kPlaneLanes;
  const bool extreme = random.chance(0.25);
  Guarded<uint16_t> counts(inputs * pitch);
  for (size_t i = 0; i < counts.size(); ++i) {
    counts[i] = static_cast<uint16_t>(extreme ? max_count : random.in(0, max_count));
  }
  const kernels::CountRows w{counts.data(), inputs, pitch, lanes, max_count};
  const size_t shift = random.size(0, 1) * 3, stride = lanes + random.size(0, 1) * 5;
  for (const auto& table : tables) {
    CAPTURE(table.isa);
    CAPTURE(rows);
    CAPTURE(inputs);
    CAPTURE(lanes);
    CAPTURE(max_count);
    Guarded<int32_t> out(rows * stride, shift);
    table.addrows_b1u16_i32(bits.data.data(), rows, w, out.data(), stride);
    bool same = true;
    for (size_t r = 0; r < rows; ++r) {
      for (size_t l = 0; l < lanes; ++l) {
        int32_t expected = 0;
        for (size_t i = 0; i < inputs; ++i) expected += bits.at(r, i) ? counts[i * pitch + l] : 0;
        same = same && out[r * stride + l] == expected;
      }
      for (size_t l = lanes; l < stride; ++l) same = same && out[r * stride + l] == 0;
    }
    CHECK(same);
    CHECK(out.intact());
  }
}

TEST_CASE("addrows_b1u16_i32 equals the sum over set bits on every level") {
  Random random(4);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    for (const uint32_t max_count : {1, 196, 1023, 1024, 65535}) {
      check_sums(random, levels, random.size(1, 9), n, random.size(1, 130), max_count);
      if (n > 0) check_sums(random, levels, random.size(1, 9), random.size(1, 130), n, max_count);
      check_sums(random, levels, n, random.size(1, 70), random.size(1, 70), max_count);
    }
  }
  check_sums(random, levels, 3, 512, 512, 65535);
}

TEST_CASE("addrows_b1u16_i32 with counts of which eight have a sum of a byte, or just not") {
  Random random(5);
  const auto levels = tables();
  for (const uint32_t max_count : {0, 1, 31, 32, 33}) {
    for (int round = 0; round < 40; ++round) {
      check_sums(random, levels, random.size(20, 60), random.size(0, 130), random.size(1, 140), max_count);
    }
    for (const size_t lanes : {16, 32, 33, 48, 63, 64, 65, 96, 128})
      check_sums(random, levels, 40, 64, lanes, max_count);
  }
}

}  // namespace
}  // namespace snncore::test
