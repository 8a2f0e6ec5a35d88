// Neurons straight from an array: every level against step_lif_* of `scalar`, which test_step_lif.cc holds to
// the definition.
#include <limits>

#include "kernels/lif_case.h"

namespace snncore::test {
namespace {

using kernels::CurrentType;
using kernels::KernelTable;
using kernels::LifNeuron;
using kernels::LifRows;

constexpr int32_t kUntouchedRecord = 0x5a5a5a5a;

template <typename Current>
constexpr CurrentType kTypeOf = sizeof(Current) == 1   ? CurrentType::kI8
                                : sizeof(Current) == 2 ? CurrentType::kI16
                                                       : CurrentType::kI32;

struct RowsResult {
  Guarded<uint64_t> out;
  Guarded<int32_t> record;
};

// Random rows of currents with gaps between rows and between steps. State names the neuron, Constant the type
// of its constants.
template <typename Current, typename State>
struct RowsCase {
  using Constant = std::conditional_t<sizeof(State) == 4, int32_t, int16_t>;

  size_t lanes, rows, steps, row_stride, t_stride;
  bool by_row, subtract;
  LifNeuron neuron;
  Guarded<Current> currents;
  Guarded<Constant> theta, psi;

  RowsCase(Random& random, size_t lanes_in, Leak leak, int32_t leak_param)
      : lanes(lanes_in),
        rows(random.size(0, 5)),
        steps(random.size(1, 5)),
        row_stride(lanes + random.size(0, 3)),
        t_stride(rows * row_stride + random.size(0, 40)),
        by_row(random.chance(0.4)),
        subtract(random.chance(0.5)),
        neuron{},
        currents(readable(), 1),
        theta(by_row ? rows : kernels::pad_channels(lanes), 3),
        psi(theta.size(), 1) {
    neuron.theta = theta.data();
    neuron.psi = subtract ? psi.data() : nullptr;
    neuron.by_row = by_row;
    neuron.leak = leak;
    neuron.leak_param = leak_param;
    neuron.leak_at_store = random.chance(0.3);
    neuron.clamp_i8 = sizeof(State) == 1;
    const auto limit = int64_t{std::numeric_limits<Constant>::max()};
    for (size_t i = 0; i < theta.size(); ++i) {
      theta[i] = static_cast<Constant>(random.chance(0.5) ? random.in(-300, 300)
                                                          : near_limits<State>(random, -limit, limit));
      psi[i] = static_cast<Constant>(near_limits<State>(random, 0, limit));
    }
    const int64_t lo = std::numeric_limits<Current>::min(), hi = std::numeric_limits<Current>::max();
    for (size_t i = 0; i < currents.size(); ++i) {  // gaps and what is read behind the lanes too
      const int64_t small = random.in(-100, 100), near = near_limits<State>(random, lo, hi);
      currents[i] = static_cast<Current>(random.chance(0.5) ? near : small);
    }
  }

  // What kernels may read: whole blocks of lanes of the last row.
  [[nodiscard]] size_t readable() const {
    if (rows == 0) return 0;
    return (steps - 1) * t_stride + (rows - 1) * row_stride + kernels::pad_channels(lanes);
  }

  [[nodiscard]] size_t out_stride() const { return words_for(lanes) + 1; }

  RowsResult result() const {
    RowsResult r{Guarded<uint64_t>(steps * rows * out_stride(), 1), Guarded<int32_t>(steps * t_stride, 1)};
    for (size_t i = 0; i < r.out.size(); ++i) r.out[i] = LifCase<State>::kUntouched;
    for (size_t i = 0; i < r.record.size(); ++i) r.record[i] = kUntouchedRecord;
    return r;
  }

  LifRows tile(RowsResult& r, bool with_record) {
    return {.currents = currents.data(),
            .type = kTypeOf<Current>,
            .t_stride = t_stride,
            .row_stride = row_stride,
            .steps = steps,
            .rows = rows,
            .lanes = lanes,
            .out = r.out.data(),
            .out_stride = out_stride(),
            .out_t_stride = rows * out_stride(),
            .record = with_record ? r.record.data() : nullptr,
            .record_t_stride = t_stride};
  }
};

void (*step_kernel(const KernelTable& table, int8_t))(const LifTile&) { return table.step_lif_i8; }
void (*step_kernel(const KernelTable& table, int16_t))(const LifTile&) { return table.step_lif_i16; }
void (*step_kernel(const KernelTable& table, int32_t))(const LifTile&) { return table.step_lif_i32; }

// One row through the general kernel, with m = 1, c = 0 and n = 0.
template <typename Current, typename State>
void step_row(const KernelTable& scalar, RowsCase<Current, State>& given, size_t r, RowsResult& to) {
  const size_t cp = kernels::pad_channels(given.lanes);
  std::vector<int32_t> sums(given.steps * cp), ones(cp, 1), zeros(cp, 0), theta(cp, INT32_MAX), psi(cp, 0),
      record(given.steps * cp);
  for (size_t c = 0; c < given.lanes; ++c) {
    theta[c] = given.theta[given.by_row ? r : c];
    psi[c] = given.psi[given.by_row ? r : c];
    for (size_t t = 0; t < given.steps; ++t) {
      sums[t * cp + c] = given.currents[t * given.t_stride + r * given.row_stride + c];
    }
  }
  LifTile tile{};
  tile.sums = sums.data();
  tile.sums_t_stride = cp;
  tile.m = ones.data();
  tile.c = tile.n = zeros.data();
  tile.theta = theta.data();
  tile.psi = given.subtract ? psi.data() : nullptr;
  tile.leak = given.neuron.leak;
  tile.leak_param = given.neuron.leak_param;
  tile.leak_at_store = given.neuron.leak_at_store;
  tile.steps = given.steps;
  tile.pixels = 1;
  tile.channels = given.lanes;
  tile.channels_padded = cp;
  tile.out = to.out.data() + r * given.out_stride();
  tile.out_t_stride = given.rows * given.out_stride();
  tile.record = record.data();
  tile.record_t_stride = cp;
  step_kernel(scalar, State{})(tile);
  for (size_t t = 0; t < given.steps; ++t) {
    for (size_t c = 0; c < given.lanes; ++c) {
      to.record[t * given.t_stride + r * given.row_stride + c] = record[t * cp + c];
    }
  }
}

template <typename Current, typename State>
void check_rows(Random& random, const std::vector<KernelTable>& levels, size_t lanes, int32_t leak) {
  const int32_t q15[] = {0, 1, 16384, 29491, 32767}, tz12[] = {0, 1, 2048, 4095, 4096};
  int32_t param = 0;
  if (leak == 1) param = random.pick(q15);
  if (leak == 3) param = static_cast<int32_t>(random.in(1, 15));
  if (leak == 4) param = random.pick(tz12);
  RowsCase<Current, State> given(random, lanes, static_cast<Leak>(leak), param);
  RowsResult expected = given.result();
  for (size_t r = 0; r < given.rows; ++r) step_row(levels[0], given, r, expected);
  for (const KernelTable& table : levels) {
    CAPTURE(table.isa);
    CAPTURE(lanes);
    CAPTURE(leak);
    CAPTURE(param);
    const auto run = sizeof(State) == 4 ? table.run_lif_i32 : table.run_lif_i16;
    RowsResult kept = given.result(), silent = given.result();
    run(given.tile(kept, true), given.neuron);
    CHECK(kept.out == expected.out);
    CHECK(kept.record == expected.record);
    CHECK((kept.out.intact() && kept.record.intact()));
    run(given.tile(silent, false), given.neuron);
    CHECK((silent.out == expected.out && silent.out.intact()));
  }
}

template <typename State>
void sweep_rows(uint64_t seed) {
  Random random(seed);
  const auto levels = tables();
  for (const size_t lanes : sizes()) {
    for (int32_t leak = 0; leak < 5; ++leak) {
      check_rows<int8_t, State>(random, levels, lanes, leak);
      check_rows<int16_t, State>(random, levels, lanes, leak);
      check_rows<int32_t, State>(random, levels, lanes, leak);
    }
  }
}

TEST_CASE("run_lif_i16 equals step_lif_i16 on every level") { sweep_rows<int16_t>(21); }
TEST_CASE("run_lif_i16 in -127..127 equals step_lif_i8 on every level") { sweep_rows<int8_t>(22); }
TEST_CASE("run_lif_i32 equals step_lif_i32 on every level") { sweep_rows<int32_t>(23); }

}  // namespace
}  // namespace snncore::test
