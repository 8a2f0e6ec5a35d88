// Distances of rows on every level against scalar.
#include <vector>

#include "kernels/common.h"

namespace snncore::test {
namespace {

TEST_CASE("sums of products and of squared differences, bit for bit") {
  Random random(61);
  for (const size_t count : sizes()) {
    std::vector<float> a(count + 1), b(count + 1);
    std::vector<int8_t> x(count + 1), y(count + 1);
    const bool extreme = random.chance(0.2);
    for (size_t i = 0; i < count + 1; ++i) {
      a[i] = random.real() * random.pick({1.0F, 1e-3F, 1e3F});
      b[i] = random.real();
      x[i] = static_cast<int8_t>(extreme ? -128 : random.in(-128, 127));
      y[i] = static_cast<int8_t>(extreme ? random.pick({-128, 127}) : random.in(-128, 127));
    }
    const auto all = tables();
    for (const kernels::KernelTable& t : all) {
      CAPTURE(t.isa);
      CAPTURE(count);
      for (const size_t shift : {0, 1}) {
        CHECK(t.dot_f32f32_f32(a.data() + shift, b.data(), count) ==
              all[0].dot_f32f32_f32(a.data() + shift, b.data(), count));
        CHECK(t.squares_f32f32_f32(a.data() + shift, b.data(), count) ==
              all[0].squares_f32f32_f32(a.data() + shift, b.data(), count));
        CHECK(t.dot_i8i8_i32(x.data() + shift, y.data(), count) ==
              all[0].dot_i8i8_i32(x.data() + shift, y.data(), count));
        CHECK(t.squares_i8i8_u32(x.data() + shift, y.data(), count) ==
              all[0].squares_i8i8_u32(x.data() + shift, y.data(), count));
      }
    }
  }
}

TEST_CASE("bytes as far apart as they can be, as many as there may be") {
  const std::vector<int8_t> low(65536, -128), high(65536, 127);
  for (const kernels::KernelTable& t : tables()) {
    CAPTURE(t.isa);
    CHECK(t.squares_i8i8_u32(low.data(), high.data(), low.size()) == 65536U * 255 * 255);
    CHECK(t.dot_i8i8_i32(low.data(), low.data(), low.size()) == 1 << 30);
    CHECK(t.dot_i8i8_i32(low.data(), high.data(), low.size()) == -128 * 127 * 65536);
  }
}

TEST_CASE("hamming_b1b1_rows counts what popcounts of differences count") {
  Random random(62);
  for (size_t words = 1; words <= 17; ++words) {
    const size_t rows = random.size(1, 90), count = random.size(0, 200);
    std::vector<uint64_t> codes(rows * words), code(words);
    for (uint64_t& w : codes) w = random.next();
    for (uint64_t& w : code) w = random.next();
    std::vector<uint32_t> list(count);
    for (uint32_t& l : list) l = static_cast<uint32_t>(random.size(0, rows - 1));
    for (const kernels::KernelTable& t : tables()) {
      CAPTURE(t.isa);
      std::vector<uint32_t> distances(count + 1, 77);
      t.hamming_b1b1_rows(code.data(), codes.data(), words, list.data(), count, distances.data());
      for (size_t i = 0; i < count; ++i) {
        uint32_t wanted = 0;
        for (size_t w = 0; w < words; ++w) {
          for (uint64_t x = code[w] ^ codes[list[i] * words + w]; x != 0; x &= x - 1) ++wanted;
        }
        CHECK(distances[i] == wanted);
      }
      CHECK(distances[count] == 77);
    }
  }
}

}  // namespace
}  // namespace snncore::test
