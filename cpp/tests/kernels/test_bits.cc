// or_rows_b1, interleave3_u8, add_bits_i32, count_columns_b1_i32, requant_i32_i32, requant_i64_i32,
// pack_u8_b1, pack_f32_b1 and popcount_b1.
#include <algorithm>
#include <limits>

#include "kernels/common.h"

namespace snncore::test {
namespace {

TEST_CASE("or_rows_b1 on every level") {
  Random random(6);
  for (const size_t words : sizes()) {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{4}, size_t{9}}) {
      std::vector<uint64_t> bits(count * words + 2);
      for (uint64_t& w : bits) w = random.next() & random.next();
      std::vector<const uint64_t*> rows(count + 1);
      for (size_t r = 0; r < count; ++r) rows[r] = bits.data() + r * words + 1;
      for (const auto& table : tables()) {
        Guarded<uint64_t> out(words, words % 2);
        table.or_rows_b1(rows.data(), count, out.data(), words);
        bool same = out.intact();
        for (size_t w = 0; w < words; ++w) {
          uint64_t any = 0;
          for (size_t r = 0; r < count; ++r) any |= rows[r][w];
          same = same && out[w] == any;
        }
        CAPTURE(table.isa);
        CAPTURE(words);
        CAPTURE(count);
        CHECK(same);
      }
    }
  }
}

TEST_CASE("interleave3_u8 on every level") {
  Random random(7);
  for (const size_t count : sizes()) {
    std::vector<uint8_t> bytes(3 * count + 3);
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.next());
    const uint8_t* const planes[3] = {bytes.data() + 1, bytes.data() + count + 2,
                                      bytes.data() + 2 * count + 3};
    for (const auto& table : tables()) {
      Guarded<uint8_t> out(3 * count, count % 2);
      table.interleave3_u8(planes, count, out.data());
      bool same = out.intact();
      for (size_t i = 0; i < 3 * count; ++i) same = same && out[i] == planes[i % 3][i / 3];
      CAPTURE(table.isa);
      CAPTURE(count);
      CHECK(same);
    }
  }
}

void check_weights(Random& random, size_t channels, bool add) {
  const size_t steps = random.size(1, 3), pixels = random.size(1, 4);
  const size_t stride = words_for(channels) + random.size(0, 1);
  const size_t t_stride = random.chance(0.3) ? 0 : pixels * stride + random.size(0, 2);
  std::vector<uint64_t> rows(steps * (pixels * stride + 2));
  for (uint64_t& w : rows) w = random.next();
  std::vector<int32_t> factor(channels), before(steps * pixels * channels);
  for (int32_t& k : factor) k = static_cast<int32_t>(random.in(-(1 << 30), 1 << 30));
  for (int32_t& b : before) b = static_cast<int32_t>(random.in(-(1 << 30), 1 << 30));
  for (const auto& table : tables()) {
    Guarded<int32_t> to(before.size(), 1);
    std::copy(before.begin(), before.end(), to.data());
    table.add_bits_i32({rows.data(), stride, t_stride, steps, pixels, factor.data()}, channels, add,
                       to.data());
    bool same = to.intact();
    for (size_t i = 0; i < before.size(); ++i) {
      const size_t c = i % channels, p = i / channels % pixels, t = i / channels / pixels;
      const bool spike = get_bit(rows.data() + t * t_stride + p * stride, c);
      same = same && to[i] == (add ? before[i] : 0) + (spike ? factor[c] : 0);
    }
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(add);
    CHECK(same);
  }
}

TEST_CASE("add_bits_i32 on every level") {
  Random random(8);
  for (const size_t n : sizes()) {
    for (const bool add : {false, true}) check_weights(random, kernels::pad_channels(n), add);
  }
}

// Rows past 248 and 255 need a second round of the adders; every count can be reached.
void check_columns(Random& random, size_t inputs, size_t rows, double density, bool two) {
  const size_t words = words_for(inputs), channels = kernels::pad_channels(inputs);
  Guarded<uint64_t> x(rows * words, 1), y(rows * words);
  std::vector<int32_t> expected(channels);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < inputs; ++c) {
      const bool first = random.chance(density), second = random.chance(density);
      if (first) set_bit(x.data() + r * words, c);
      if (second) set_bit(y.data() + r * words, c);
      expected[c] += first && (second || !two) ? 1 : 0;
    }
  }
  for (const auto& table : tables()) {
    Guarded<int32_t> out(channels, 1);
    for (size_t c = 0; c < channels; ++c) out[c] = -7;
    table.count_columns_b1_i32(x.data(), two ? y.data() : nullptr, rows, words, channels, out.data());
    CAPTURE(table.isa);
    CAPTURE(inputs);
    CAPTURE(rows);
    CHECK(std::equal(expected.begin(), expected.end(), out.data()));
    CHECK(out.intact());
  }
}

TEST_CASE("count_columns_b1_i32 on every level") {
  Random random(9);
  for (const size_t inputs : sizes()) {
    for (const size_t rows : {1, 7, 8, 9, 24, 61}) check_columns(random, inputs, rows, 0.5, rows % 2 == 0);
  }
  for (const size_t inputs : {1, 40, 64, 200, 384, 512, 600, 1100}) {
    for (const size_t rows : {0, 196, 247, 248, 249, 256, 600}) {
      check_columns(random, inputs, rows, 1, true);
      check_columns(random, inputs, rows, 0.3, false);
    }
  }
}

// Products and c up to what 31 bits hold together.
void check_narrow_requant(Random& random, size_t channels, size_t rows, size_t sums) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  const auto share = static_cast<int64_t>(sums + 1);
  std::vector<std::vector<int32_t>> a(sums), m(sums);
  std::vector<const int32_t*> a_rows, m_rows;
  for (size_t j = 0; j < sums; ++j) {
    for (size_t i = 0; i < channels; ++i)
      m[j].push_back(static_cast<int32_t>(random.in(0, kMost / share) >> random.in(0, 31)));
    for (size_t i = 0; i < rows * channels; ++i) {
      const int64_t most = kMost / share / std::max<int64_t>(m[j][i % channels], 1);
      a[j].push_back(static_cast<int32_t>(random.chance(0.2) ? -most : random.in(-most, most)));
    }
    a_rows.push_back(a[j].data());
    m_rows.push_back(m[j].data());
  }
  std::vector<int32_t> c(channels), shift(channels);
  for (size_t i = 0; i < channels; ++i) {
    shift[i] = static_cast<int32_t>(random.in(0, 30));
    c[i] = static_cast<int32_t>(random.in(-kMost / share, kMost / share));
  }
  for (const auto& table : tables()) {
    Guarded<int32_t> out(rows * channels, 1);
    table.requant_i32_i32(a_rows.data(), {sums, m_rows.data(), c.data(), shift.data(), channels}, rows,
                          out.data());
    bool same = out.intact();
    for (size_t i = 0; i < rows * channels; ++i) {
      int64_t exact = c[i % channels];
      for (size_t j = 0; j < sums; ++j) exact += int64_t{a[j][i]} * m[j][i % channels];
      same = same && out[i] == exact >> shift[i % channels];
    }
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(sums);
    CHECK(same);
  }
}

TEST_CASE("requant_i32_i32 on every level") {
  Random random(11);
  for (const size_t channels : {32, 64, 96, 384}) {
    for (const size_t rows : {1, 2, 5}) {
      for (const size_t sums : {0, 1, 2, 3, 4}) check_narrow_requant(random, channels, rows, sums);
    }
  }
}

// The ends of the range come from every sum at once.
void check_requant(Random& random, size_t channels, size_t rows, size_t sums, size_t streams) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  std::vector<std::vector<int32_t>> a(sums + streams), m(sums);
  std::vector<const int32_t*> a_rows, m_rows;
  for (std::vector<int32_t>& values : a) {
    for (size_t i = 0; i < rows * channels; ++i)
      values.push_back(static_cast<int32_t>(random.in(-kMost - 1, kMost) >> random.in(0, 31)));
    values[0] = std::numeric_limits<int32_t>::min();
    values[channels - 1] = static_cast<int32_t>(kMost);
    a_rows.push_back(values.data());
  }
  for (size_t j = 0; j < sums; ++j) {
    for (size_t i = 0; i < channels; ++i)
      m[j].push_back(static_cast<int32_t>(random.in(0, kMost) >> random.in(2, 31)));
    m[j][0] = m[j][channels - 1] = static_cast<int32_t>(kMost >> 2);
    m_rows.push_back(m[j].data());
  }
  std::vector<int64_t> c(channels), shift(channels);
  for (size_t i = 0; i < channels; ++i) {
    shift[i] = random.in(0, 30);
    c[i] = random.in(-kMost, kMost) + (shift[i] > 0 ? int64_t{1} << (shift[i] - 1) : 0);
  }
  for (const auto& table : tables()) {
    Guarded<int32_t> out(rows * channels, 1);
    table.requant_i64_i32(a_rows.data(), {sums, streams, m_rows.data(), c.data(), shift.data(), channels},
                          rows, out.data());
    bool same = out.intact();
    for (size_t i = 0; i < rows * channels; ++i) {
      const size_t k = i % channels;
      int64_t exact = c[k];
      for (size_t j = 0; j < sums; ++j) exact += int64_t{a[j][i]} * m[j][k];
      exact = std::clamp<int64_t>(exact >> shift[k], -kMost - 1, kMost);
      for (size_t j = sums; j < sums + streams; ++j) exact += a[j][i];
      same = same && out[i] == std::clamp<int64_t>(exact, -kMost - 1, kMost);
    }
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(sums);
    CAPTURE(streams);
    CHECK(same);
  }
}

TEST_CASE("requant_i64_i32 on every level") {
  Random random(10);
  for (const size_t channels : {32, 64, 96, 384}) {
    for (const size_t rows : {1, 2, 5}) {
      for (const size_t sums : {0, 1, 2, 3, 4}) {
        for (const size_t streams : {0, 1, 3}) check_requant(random, channels, rows, sums, streams);
      }
    }
  }
}

// Elements that are 0 and that are not, as `pack` sees them and as a comparison does.
template <typename T>
bool packs(void (*pack)(const T*, size_t, uint64_t*), const std::vector<T>& elements) {
  const size_t count = elements.size();
  Guarded<uint64_t> out(words_for(count), count % 2);
  pack(elements.data(), count, out.data());
  bool same = out.intact();
  for (size_t i = 0; i < words_for(count) * 64; ++i)
    same = same && get_bit(out.data(), i) == (i < count && elements[i] != T{});
  return same;
}

TEST_CASE("pack_u8_b1 and pack_f32_b1 on every level, and back") {
  Random random(8);
  for (const size_t count : sizes()) {
    std::vector<uint8_t> bytes(count);
    std::vector<float> floats(count);
    constexpr float kFloats[] = {1, -1, 1e-45F, std::numeric_limits<float>::quiet_NaN(),
                                 std::numeric_limits<float>::infinity()};
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(random.chance(0.5) ? 0 : 1 << random.next() % 8);
    for (float& x : floats)
      x = random.chance(0.5) ? (random.chance(0.5) ? 0.0F : -0.0F) : kFloats[random.next() % 5];
    for (const auto& table : tables()) {
      CAPTURE(table.isa);
      CAPTURE(count);
      CHECK(packs(table.pack_u8_b1, bytes));
      CHECK(packs(table.pack_f32_b1, floats));
    }
    std::vector<uint64_t> words(words_for(count) + 1);
    for (uint64_t& w : words) w = random.next();
    Guarded<uint8_t> out(count, 0);
    unpack_bits(words.data(), count, out.data());
    bool same = out.intact();
    for (size_t i = 0; i < count; ++i) same = same && out[i] == (get_bit(words.data(), i) ? 1 : 0);
    CAPTURE(count);
    CHECK(same);
  }
}

TEST_CASE("popcount_b1 on every level") {
  Random random(7);
  for (const size_t count : sizes()) {
    std::vector<uint64_t> words(count + 2);
    for (uint64_t& w : words) w = random.chance(0.2) ? ~uint64_t{0} : random.next();
    uint64_t expected = 0;
    for (size_t i = 0; i < count * 64; ++i) expected += get_bit(words.data() + 1, i) ? 1 : 0;
    for (const auto& table : tables()) {
      CAPTURE(table.isa);
      CAPTURE(count);
      CHECK(table.popcount_b1(words.data() + 1, count) == expected);
    }
  }
}

}  // namespace
}  // namespace snncore::test
