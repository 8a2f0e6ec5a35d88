// Membranes of 2 and 4 bits: every level against the definition.
#include <algorithm>
#include <array>
#include <vector>

#include "kernels/lif_oracle.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;

struct Codes {
  size_t bits;
  int32_t shift;
  std::array<int16_t, 16> membranes{};
  std::vector<int16_t> edges{};

  [[nodiscard]] int64_t most() const { return (int64_t{1} << (bits - 1)) - 1; }
  [[nodiscard]] int64_t membrane(int64_t code) const { return membranes[static_cast<size_t>(code + most())]; }
  [[nodiscard]] int64_t code(int64_t v) const {
    if (!edges.empty()) {
      return std::count_if(edges.begin(), edges.end(), [&](int64_t edge) { return v >= edge; }) - most();
    }
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
  for (int64_t i = 0; i < 2 * codes.most() && random.chance(0.97); ++i) {
    codes.edges.push_back(static_cast<int16_t>(near_limits<int16_t>(random, -6000, 6000)));
  }
  if (codes.edges.size() < static_cast<size_t>(2 * codes.most())) codes.edges.clear();
  std::ranges::sort(codes.edges);
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
  tile.edges = codes.edges.empty() ? nullptr : codes.edges.data();
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
    tile.edges = nullptr;
    tile.state = state.data();
    table.step_lif_coded(tile);
    for (size_t i = 0; i < 32; ++i) CHECK(get_code(state, i, 4) == 0);
  }
}

// Three states with tables of their own: theta [3][cp] and gamma [3][2][cp].
struct States {
  Guarded<int32_t> theta, gamma;

  States(Random& random, size_t cp, size_t channels) : theta(3 * cp, 1), gamma(6 * cp, 1) {
    for (size_t i = 0; i < theta.size(); ++i) {
      theta[i] = i % cp < channels ? static_cast<int32_t>(random.in(-3000, 3000)) : INT32_MAX;
    }
    for (size_t i = 0; i < gamma.size(); ++i) gamma[i] = static_cast<int32_t>(random.in(-3000, 3000));
  }
};

TEST_CASE("step_lif_states equals the definition on every level") {
  Random random(33);
  for (const size_t channels : sizes()) {
    for (int i = 0; i < 12; ++i) {
      LifCase<int16_t> given(random,
                             {channels, random.size(1, 5), random.size(1, 5), Leak::kNone, 0, false, false});
      const LifSettings& s = given.settings;
      States tables_of(random, given.cp, channels);
      Guarded<uint8_t> start(s.pixels * given.cp / 4, 1);
      for (size_t k = 0; k < s.pixels * given.cp; ++k)
        put_code(start, k, 2, k % given.cp < channels ? random.in(-1, 1) : 0);
      for (const auto& table : tables()) {
        CAPTURE(table.isa);
        CAPTURE(channels);
        Guarded<uint8_t> state(start.size(), 1);
        for (size_t k = 0; k < state.size(); ++k) state[k] = start[k];
        LifResult r = given.result();
        LifTile tile = given.tile();
        given.point_at(tile, r);
        tile.theta = tables_of.theta.data();
        tile.gamma = tables_of.gamma.data();
        tile.state = state.data();
        table.step_lif_states(tile);
        bool same = true;
        for (size_t p = 0; p < s.pixels; ++p) {
          for (size_t ch = 0; ch < channels; ++ch) {
            int64_t code = get_code(start, p * given.cp + ch, 2);
            for (size_t t = 0; t < s.steps; ++t) {
              const int64_t x = given.current(t, p, ch);
              const auto row = static_cast<size_t>(code + 1);
              const bool spike = x >= tables_of.theta[row * given.cp + ch];
              const int64_t low = x >= tables_of.gamma[2 * row * given.cp + ch] ? 1 : 0;
              const int64_t high = x >= tables_of.gamma[(2 * row + 1) * given.cp + ch] ? 1 : 0;
              code = spike ? 0 : low + high - 1;
              const uint64_t* out = r.out.data() + t * tile.out_t_stride + p * tile.out_stride;
              same = same && spike == ((out[ch / 64] >> ch % 64 & 1) != 0);
              same = same && r.record[(t * s.pixels + p) * given.cp + ch] == code;
            }
            same = same && get_code(state, p * given.cp + ch, 2) == code;
          }
        }
        CHECK(same);
        CHECK(state.intact());
        CHECK(r.out.intact());
      }
    }
  }
}

}  // namespace
}  // namespace snncore::test
