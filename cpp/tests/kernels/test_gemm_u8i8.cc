#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::ByteWeights;

void check(Random& random, const std::vector<kernels::KernelTable>& tables, size_t channels, size_t inputs,
           size_t pixels, bool odd, bool extreme) {
  const size_t cp = kernels::pad_channels(channels), k4 = (inputs + 3) / 4;
  Guarded<int8_t> codes(k4 * cp * 4);
  Guarded<int32_t> sums_of_codes(cp), init(cp);
  for (size_t c = 0; c < channels; ++c) {
    init[c] = static_cast<int32_t>(random.in(-1000000, 1000000));
    for (size_t k = 0; k < inputs; ++k) {
      const auto code = static_cast<int8_t>(extreme ? (c % 2 == 0 ? -128 : 127) : random.in(-128, 127));
      codes[(k / 4 * cp + c) * 4 + k % 4] = code;
      sums_of_codes[c] += code;
    }
  }
  const size_t shift = random.size(0, 1);
  Guarded<uint8_t> x(pixels * k4 * 4, shift);
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t k = 0; k < inputs; ++k) {
      x[p * k4 * 4 + k] = static_cast<uint8_t>(extreme ? 255 : random.in(0, 255));
    }
  }
  const ByteWeights w{codes.data(), k4, cp, sums_of_codes.data(), init.data(), odd};

  std::vector<int32_t> expected(pixels * cp);
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t c = 0; c < cp; ++c) {
      int64_t sum = init[c];
      for (size_t k = 0; k < inputs; ++k) {
        const int64_t q = codes[(k / 4 * cp + c) * 4 + k % 4];
        sum += (odd ? 2 * q + 1 : q) * x[p * k4 * 4 + k];
      }
      expected[p * cp + c] = static_cast<int32_t>(sum);
    }
  }
  for (const auto& table : tables) {
    Guarded<int32_t> sums(pixels * cp, shift);
    table.gemm_u8i8_i32(x.data(), pixels, w, sums.data());
    const bool same = expected.empty() || std::memcmp(sums.data(), expected.data(), expected.size() * 4) == 0;
    CAPTURE(table.isa);
    CAPTURE(channels);
    CAPTURE(inputs);
    CAPTURE(pixels);
    CAPTURE(odd);
    CHECK((same && sums.intact()));
  }
}

TEST_CASE("gemm_u8i8_i32 equals the sum of products on every level") {
  Random random(3);
  const auto levels = tables();
  for (const size_t n : sizes()) {
    for (size_t pixels = 1; pixels <= 9; ++pixels) {
      const bool odd = random.chance(0.5), extreme = random.chance(0.25);
      check(random, levels, n, random.size(0, 130), pixels, odd, extreme);
      check(random, levels, random.size(1, 130), n, pixels, odd, extreme);
    }
  }
  check(random, levels, 32, 5000, 5, false, true);
  check(random, levels, 32, 5000, 5, true, true);
}

}  // namespace
}  // namespace snncore::test
