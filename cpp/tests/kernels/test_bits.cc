// or_rows_b1, add_bits_i32 and popcount_b1.
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

TEST_CASE("add_bits_i32 on every level") {
  Random random(8);
  for (const size_t n : sizes()) {
    const size_t channels = kernels::pad_channels(n);
    std::vector<uint64_t> row(words_for(channels) + 1);
    for (uint64_t& w : row) w = random.next();
    std::vector<int32_t> factor(channels), before(channels);
    for (size_t c = 0; c < channels; ++c) {
      factor[c] = static_cast<int32_t>(random.in(-(1 << 30), 1 << 30));
      before[c] = static_cast<int32_t>(random.in(-(1 << 30), 1 << 30));
    }
    for (const auto& table : tables()) {
      Guarded<int32_t> to(channels, 1);
      for (size_t c = 0; c < channels; ++c) to[c] = before[c];
      table.add_bits_i32(row.data(), channels, factor.data(), to.data());
      bool same = to.intact();
      for (size_t c = 0; c < channels; ++c) {
        same = same && to[c] == before[c] + (get_bit(row.data(), c) ? factor[c] : 0);
      }
      CAPTURE(table.isa);
      CAPTURE(channels);
      CHECK(same);
    }
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
