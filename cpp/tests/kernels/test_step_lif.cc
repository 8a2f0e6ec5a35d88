// The integer neurons: every level against the oracle.
#include "kernels/lif_oracle.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;

void (*kernel(const KernelTable& table, int8_t))(const LifTile&) { return table.step_lif_i8; }
void (*kernel(const KernelTable& table, int16_t))(const LifTile&) { return table.step_lif_i16; }
void (*kernel(const KernelTable& table, int32_t))(const LifTile&) { return table.step_lif_i32; }

template <typename State>
bool same_records(LifCase<State>& given, LifResult& a, LifResult& b) {
  for (size_t i = 0; i < a.record.size(); ++i) {
    if (i % given.cp < given.settings.channels && a.record[i] != b.record[i]) return false;
  }
  return a.out == b.out && a.out.intact() && a.record.intact();
}

// The steps `from` .. `to` - 1 of the case as a tile of its own.
template <typename State>
LifTile part(LifCase<State>& given, LifResult& r, size_t from, size_t to) {
  LifTile t = given.tile();
  given.point_at(t, r);
  t.sums += from * t.sums_t_stride;
  if (t.extra != nullptr) t.extra += from * given.settings.pixels * given.cp;
  t.out += from * t.out_t_stride;
  t.record += from * t.record_t_stride;
  t.steps = to - from;
  return t;
}

template <typename State>
void check_level(const KernelTable& table, LifCase<State>& given, size_t cut) {
  const LifSettings& s = given.settings;
  std::vector<int64_t> v(given.start.size());
  for (size_t i = 0; i < v.size(); ++i) v[i] = given.start[i];
  LifResult expected = Oracle<State>{given}.run(v);

  // With a given state, in two calls.
  LifResult kept = given.result();
  Guarded<State> state(given.start.size(), 1);
  for (size_t i = 0; i < state.size(); ++i) state[i] = given.start[i];
  for (const auto& [from, to] : {std::pair{size_t{0}, cut}, std::pair{cut, s.steps}}) {
    LifTile t = part(given, kept, from, to);
    t.state = state.data();
    kernel(table, State{})(t);
  }
  bool same = same_records(given, kept, expected) && state.intact();
  for (size_t i = 0; i < v.size(); ++i) {
    same = same && (i % given.cp >= s.channels || state[i] == static_cast<State>(v[i]));
  }
  CHECK(same);

  // From zero, without a state; and without a record.
  std::vector<int64_t> zeros(given.start.size());
  LifResult from_zero = Oracle<State>{given}.run(zeros), fresh = given.result();
  kernel(table, State{})(part(given, fresh, 0, s.steps));
  CHECK(same_records(given, fresh, from_zero));
  for (const bool short_sums : {false, true}) {
    if (short_sums && !given.short_sums()) continue;
    CAPTURE(short_sums);
    LifResult silent = given.result();
    LifTile t = part(given, silent, 0, s.steps);
    t.record = nullptr;
    t.short_sums = short_sums;
    kernel(table, State{})(t);
    CHECK(silent.out == from_zero.out);
    CHECK(silent.out.intact());
  }
}

template <typename State>
void sweep(uint64_t seed) {
  Random random(seed);
  const auto levels = tables();
  const int32_t q15[] = {0, 1, 16384, 29491, 32767}, tz12[] = {0, 1, 2048, 4095, 4096};
  for (const size_t channels : sizes()) {
    for (int32_t leak = 0; leak < 5; ++leak) {
      for (int flags = 0; flags < 4; ++flags) {
        LifSettings s{channels, random.size(1, 9), random.size(1, 5), static_cast<Leak>(leak), 0, false,
                      false};
        if (s.leak == Leak::kQ15) s.leak_param = random.pick(q15);
        if (s.leak == Leak::kShift) s.leak_param = static_cast<int32_t>(random.in(1, 15));
        if (s.leak == Leak::kTz12) s.leak_param = random.pick(tz12);
        s.leak_at_store = (flags & 1) != 0;
        s.subtract = (flags & 2) != 0;
        LifCase<State> given(random, s);
        const size_t cut = random.size(0, s.steps);
        for (const auto& table : levels) {
          CAPTURE(table.isa);
          CAPTURE(channels);
          CAPTURE(leak);
          CAPTURE(s.leak_param);
          CAPTURE(flags);
          check_level(table, given, cut);
        }
      }
    }
  }
}

TEST_CASE("step_lif_i8 equals the definition on every level") { sweep<int8_t>(8); }
TEST_CASE("step_lif_i16 equals the definition on every level") { sweep<int16_t>(9); }
TEST_CASE("step_lif_i32 equals the definition on every level") { sweep<int32_t>(10); }

// Every int16 V through every leak, 32 channels at a time: no product, sign or rounding is left to chance.
TEST_CASE("step_lif_i16 leaks every value as defined") {
  for (const auto& [leak, param] :
       {std::pair{Leak::kQ15, 16384}, std::pair{Leak::kQ15, 32767}, std::pair{Leak::kQ15, 26214},
        std::pair{Leak::kHalfFloor, 0}, std::pair{Leak::kShift, 1}, std::pair{Leak::kShift, 15},
        std::pair{Leak::kTz12, 4095}, std::pair{Leak::kTz12, 2048}}) {
    Random random(11);
    LifCase<int16_t> given(random, {32, 2048, 1, leak, param, false, false});
    for (size_t i = 0; i < given.sums.size(); ++i) given.sums[i] = 0;
    given.has_extra = false;
    for (size_t c = 0; c < 32; ++c) {
      given.c[c] = 0;
      given.theta[c] = 32767;
    }
    for (const auto& table : tables()) {
      Guarded<int16_t> state(65536);
      for (size_t i = 0; i < 65536; ++i) state[i] = static_cast<int16_t>(static_cast<int32_t>(i) - 32768);
      LifResult r = given.result();
      LifTile t = part(given, r, 0, 1);
      t.state = state.data();
      table.step_lif_i16(t);
      size_t wrong = 0;
      for (size_t i = 0; i < 65536; ++i) {
        const int64_t v = static_cast<int64_t>(i) - 32768, l = leaked(leak, param, v);
        wrong += state[i] != (l >= 32767 ? 0 : l) ? 1 : 0;
      }
      CAPTURE(table.isa);
      CAPTURE(param);
      CHECK(wrong == 0);
    }
  }
}

}  // namespace
}  // namespace snncore::test
