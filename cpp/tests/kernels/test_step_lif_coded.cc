// Membranes of 2 and 4 bits: every level against the definition.
#include <array>

#include "kernels/lif_oracle.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;

struct Codes {
  size_t bits;
  int32_t shift;
  std::array<int16_t, 16> membranes{};

  [[nodiscard]] int64_t most() const { return (int64_t{1} << (bits - 1)) - 1; }
  [[nodiscard]] int64_t membrane(int64_t code) const { return membranes[static_cast<size_t>(code + most())]; }
  [[nodiscard]] int64_t code(int64_t v) const {
    return clamp_to(floor_div(v * most() + (int64_t{1} << shift) / 2, int64_t{1} << shift), -most(), most());
  }
};

Codes random_codes(Random& random, size_t bits) {
  Codes codes{bits, static_cast<int32_t>(random.in(0, 12))};
  const int64_t theta0 = int64_t{1} << codes.shift;
  const bool usual = random.chance(0.5);
  for (int64_t c = -codes.most(); c <= codes.most(); ++c) {
    const int64_t step = floor_div(2 * theta0 * c + codes.most(), 2 * codes.most());
    const int64_t v = c == 0 ? 0 : usual ? step : near_limits<int16_t>(random, INT16_MIN, INT16_MAX);
    codes.membranes[static_cast<size_t>(c + codes.most())] = static_cast<int16_t>(v);
  }
  return codes;
}

// One code in a row of them.
int64_t get_code(Guarded<uint8_t>& rows, size_t i, size_t bits) {
  const int64_t field = (rows[i * bits / 8] >> (i * bits % 8)) & ((1 << bits) - 1);
  return field >= int64_t{1} << (bits - 1) ? field - (int64_t{1} << bits) : field;
}

void put_code(Guarded<uint8_t>& rows, size_t i, size_t bits, int64_t code) {
  const auto mask = static_cast<uint8_t>(((1 << bits) - 1) << (i * bits % 8));
  uint8_t& byte = rows[i * bits / 8];
  byte = static_cast<uint8_t>((byte & ~mask) | ((static_cast<uint64_t>(code) << (i * bits % 8)) & mask));
}

void check_level(const KernelTable& table, LifCase<int16_t>& given, const Codes& codes, uint64_t seed) {
  Random random(seed);
  const LifSettings& s = given.settings;
  Guarded<uint8_t> state(s.pixels * given.cp * codes.bits / 8, 1);
  std::vector<int64_t> expected(s.pixels * given.cp);
  for (size_t i = 0; i < expected.size(); ++i) {
    if (i % given.cp < s.channels) expected[i] = random.in(-codes.most(), codes.most());
    put_code(state, i, codes.bits, expected[i]);
  }
  LifResult r = given.result();
  LifTile tile = given.tile();
  given.point_at(tile, r);
  tile.code_bits = codes.bits;
  tile.code_shift = codes.shift;
  tile.membranes = codes.membranes.data();
  tile.state = state.data();
  table.step_lif_coded(tile);

  Oracle<int16_t> oracle{given};
  bool same = true;
  for (size_t t = 0; t < s.steps; ++t) {
    for (size_t p = 0; p < s.pixels; ++p) {
      const uint64_t* row = r.out.data() + t * tile.out_t_stride + p * tile.out_stride;
      for (size_t ch = 0; ch < s.channels; ++ch) {
        int64_t& code = expected[p * given.cp + ch];
        int64_t v = codes.membrane(code);
        const bool spike = oracle.step(v, t, p, ch);
        code = codes.code(v);
        same = same && spike == ((row[ch / 64] >> ch % 64 & 1) != 0);
        same = same && codes.membrane(code) == r.record[(t * s.pixels + p) * given.cp + ch];
      }
    }
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    same = same && (i % given.cp >= s.channels || get_code(state, i, codes.bits) == expected[i]);
  }
  CHECK(same);
  CHECK(state.intact());
  CHECK(r.out.intact());
}

TEST_CASE("step_lif_coded equals the definition on every level") {
  Random random(31);
  const int32_t params[] = {0, 16384, 3, 1, 2048};
  for (const size_t channels : sizes()) {
    for (int32_t i = 0; i < 40; ++i) {
      const int32_t leak = i % 5;
      const LifSettings settings{channels,     random.size(1, 5), random.size(1, 5), static_cast<Leak>(leak),
                                 params[leak], (i & 4) != 0,      random.chance(0.5)};
      LifCase<int16_t> given(random, settings);
      const Codes codes = random_codes(random, i % 2 == 0 ? 4 : 2);
      for (const auto& table : tables()) {
        CAPTURE(table.isa);
        CAPTURE(channels);
        CAPTURE(i);
        check_level(table, given, codes, static_cast<uint64_t>(i));
      }
    }
  }
}

// A state that somebody made may hold the code that no neuron stores: it stands for 0 on every level.
TEST_CASE("step_lif_coded takes the code below the lowest for 0") {
  Random random(32);
  LifCase<int16_t> given(random, {32, 1, 1, Leak::kNone, 0, false, false});
  for (size_t i = 0; i < given.sums.size(); ++i) given.sums[i] = 0;
  for (size_t i = 0; i < given.cp; ++i) given.c[i] = given.n[i] = 0, given.theta[i] = INT16_MAX;
  given.has_extra = false;
  const Codes codes = random_codes(random, 4);
  for (const auto& table : tables()) {
    CAPTURE(table.isa);
    Guarded<uint8_t> state(16, 1);
    for (size_t i = 0; i < 16; ++i) state[i] = 0x88;
    LifResult r = given.result();
    LifTile tile = given.tile();
    given.point_at(tile, r);
    tile.code_bits = 4;
    tile.code_shift = codes.shift;
    tile.membranes = codes.membranes.data();
    tile.state = state.data();
    table.step_lif_coded(tile);
    for (size_t i = 0; i < 32; ++i) CHECK(get_code(state, i, 4) == 0);
  }
}

}  // namespace
}  // namespace snncore::test
