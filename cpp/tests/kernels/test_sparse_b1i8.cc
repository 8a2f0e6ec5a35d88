#include "kernels/raster_case.h"
#include "kernels/sparse_codes.h"

namespace snncore::test {
namespace {

using kernels::SparseCodes;

using Shape = RasterShape;

struct Codes {
  int32_t max_abs;
  double share;    // of what is not zero
  bool one_sided;  // all of one sign and size: what fills bytes soonest
};

std::vector<int8_t> random_codes(Random& random, const Shape& s, const Codes& k) {
  std::vector<int8_t> codes(s.channels * s.taps * s.inputs);
  for (size_t i = 0; i < codes.size(); ++i) {
    if (!random.chance(k.share)) continue;
    const int32_t hi = k.max_abs > 127 ? 127 : k.max_abs;
    const bool up = i / (s.taps * s.inputs) % 2 == 0;
    codes[i] = static_cast<int8_t>(k.one_sided ? (up ? hi : -k.max_abs) : random.in(-k.max_abs, hi));
  }
  return codes;
}

void check(Random& random, const std::vector<kernels::KernelTable>& tables, const Shape& s, const Codes& k,
           double density) {
  const size_t cp = kernels::pad_channels(s.channels);
  const bool columns = random.chance(0.7);
  const RasterCase spikes(random, s, density, columns);
  const std::vector<int8_t> codes = random_codes(random, s, k);
  const SparseCodes sparse = kernels::sparse_codes(codes.data(), s.channels, s.taps, s.inputs);
  const std::vector<int32_t> expected = spikes.sums(codes);
  Guarded<uint8_t> scratch(kernels::sparse_scratch(spikes.rows(), s.inputs, s.taps));
  for (const auto& table : tables) {
    if (table.columns && !columns) continue;
    Guarded<int32_t> sums(s.pixels * cp, 1);
    table.sparse_b1i8_i32(spikes.raster(), sparse.view(), sums.data(),
                          reinterpret_cast<std::byte*>(scratch.data()));
    const bool same = expected.empty() || std::memcmp(sums.data(), expected.data(), expected.size() * 4) == 0;
    CAPTURE(table.isa);
    CAPTURE(s.channels);
    CAPTURE(s.inputs);
    CAPTURE(s.taps);
    CAPTURE(s.pixels);
    CAPTURE(k.max_abs);
    CAPTURE(k.share);
    CHECK((same && sums.intact() && scratch.intact()));
  }
}

TEST_CASE("sparse_b1i8_i32 equals the sum over spikes on every level") {
  Random random(21);
  const auto levels = tables();
  const size_t taps[] = {1, 4, 9};
  const int32_t sizes_of_codes[] = {1, 2, 8, 31, 127, 128};
  for (const size_t n : sizes()) {
    if (n == 0) continue;
    for (const double share : {0.0, 0.1, 0.6}) {
      const Codes codes{random.pick(sizes_of_codes), share, random.chance(0.25)};
      check(random, levels, {n, random.size(1, 130), random.pick(taps), random.size(1, 40)}, codes, 0.4);
      check(random, levels, {random.size(1, 70), n, random.pick(taps), random.size(1, 300)}, codes, 0.4);
      check(random, levels, {random.size(1, 70), random.size(1, 130), 1, n}, codes, 1.0);
    }
  }
}

TEST_CASE("sparse_b1i8_i32 with more codes than a byte or an int16 lane takes") {
  Random random(22);
  const auto levels = tables();
  for (const int32_t max_abs : {1, 8, 127, 128}) {
    for (const bool one_sided : {false, true}) {
      check(random, levels, {33, 3000, 1, 5}, {max_abs, 1.0, one_sided}, 1.0);
      check(random, levels, {34, 250, 9, 70}, {max_abs, 0.5, one_sided}, 0.9);
    }
  }
}

TEST_CASE("sparse_codes: every weight is there once, and no chunk can leave a byte") {
  Random random(23);
  for (const int32_t max_abs : {1, 2, 8, 128}) {
    const Shape s{13, 50, 9, 0};
    const std::vector<int8_t> codes = random_codes(random, s, {max_abs, 0.3, random.chance(0.5)});
    const SparseCodes sparse = kernels::sparse_codes(codes.data(), s.channels, s.taps, s.inputs);
    REQUIRE(sparse.starts.size() == 33);
    std::vector<int8_t> back(codes.size());
    for (size_t c = 0; c < s.channels; ++c) {
      for (size_t chunk = sparse.starts[c]; chunk < sparse.starts[c + 1]; ++chunk) {
        int32_t down = 0, up = 0;
        for (size_t i = chunk * sparse.chunk; i < (chunk + 1) * sparse.chunk; ++i) {
          const auto code = static_cast<int8_t>(sparse.codes[i]);
          back[c * s.taps * s.inputs + sparse.places[i]] += code;
          (code < 0 ? down : up) += code;
        }
        CHECK((down >= -128 && up <= 127));
      }
    }
    CHECK(back == codes);
    CHECK(sparse.starts[32] == sparse.starts[s.channels]);
  }
}

}  // namespace
}  // namespace snncore::test
