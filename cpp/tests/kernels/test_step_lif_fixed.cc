// Cases worked by hand: one neuron, a few steps.
#include <initializer_list>

#include "kernels/common.h"

namespace snncore::test {
namespace {

using kernels::KernelTable;
using kernels::Leak;
using kernels::LifTile;
using kernels::LifXTile;

struct Neuron {
  int32_t m = 1, c = 0, n = 0, theta = 4096, psi = -1;  // psi -1: reset to zero; c holds the rounding half
  Leak leak = Leak::kQ15;
  int32_t leak_param = 16384;
};

struct Trace {
  std::vector<bool> spikes;
  std::vector<int32_t> v;
};

template <typename State>
Trace run(void (*kernel)(const LifTile&), const Neuron& neuron, std::initializer_list<int32_t> sums,
          State start) {
  constexpr size_t kCp = kernels::kChannelPad;
  const size_t steps = sums.size();
  Guarded<int32_t> a(steps * kCp), m(kCp), c(kCp), n(kCp), theta(kCp), psi(kCp), record(steps * kCp);
  Guarded<State> state(kCp);
  Guarded<uint64_t> out(steps);
  for (size_t i = 1; i < kCp; ++i) theta[i] = INT32_MAX;
  m[0] = neuron.m;
  c[0] = neuron.c;
  n[0] = neuron.n;
  theta[0] = neuron.theta;
  psi[0] = neuron.psi;
  state[0] = start;
  for (size_t t = 0; t < steps; ++t) a[t * kCp] = sums.begin()[t];
  LifTile tile{};
  tile.sums = a.data();
  tile.sums_t_stride = kCp;
  tile.m = m.data();
  tile.c = c.data();
  tile.n = n.data();
  tile.theta = theta.data();
  tile.psi = neuron.psi < 0 ? nullptr : psi.data();
  tile.leak = neuron.leak;
  tile.leak_param = neuron.leak_param;
  tile.steps = steps;
  tile.pixels = 1;
  tile.channels = 1;
  tile.channels_padded = kCp;
  tile.state = state.data();
  tile.out = out.data();
  tile.out_stride = 1;
  tile.out_t_stride = 1;
  tile.record = record.data();
  tile.record_t_stride = kCp;
  kernel(tile);
  Trace trace;
  for (size_t t = 0; t < steps; ++t) {
    trace.spikes.push_back(out[t] != 0);
    trace.v.push_back(record[t * kCp]);
  }
  return trace;
}

using Spikes = std::vector<bool>;
using Membranes = std::vector<int32_t>;

TEST_CASE("profile W over three steps") {
  const Neuron zero{.m = 1024, .c = 8, .n = 4}, subtract{.m = 1024, .c = 8, .n = 4, .psi = 4096};
  for (const KernelTable& table : tables()) {
    CAPTURE(table.isa);
    const Trace z = run<int16_t>(table.step_lif_i16, zero, {20, 40, 40}, 0);
    CHECK(z.spikes == Spikes{false, false, true});
    CHECK(z.v == Membranes{1280, 3200, 0});
    const Trace s = run<int16_t>(table.step_lif_i16, subtract, {20, 40, 40}, 0);
    CHECK(s.spikes == Spikes{false, false, true});
    CHECK(s.v == Membranes{1280, 3200, 64});
    CHECK(run<int32_t>(table.step_lif_i32, subtract, {20, 40, 40}, 0).v == Membranes{1280, 3200, 64});
  }
}

TEST_CASE("the requantisation rounds half up, below zero too") {
  const Neuron neuron{.m = 1, .c = 1, .n = 1, .leak_param = 0};
  for (const KernelTable& table : tables()) {
    CAPTURE(table.isa);
    CHECK(run<int16_t>(table.step_lif_i16, neuron, {-1, -3, 3}, 0).v == Membranes{0, -1, 2});
    CHECK(run<int8_t>(table.step_lif_i8, neuron, {-1, -3, 3}, 0).v == Membranes{0, -1, 2});
    CHECK(run<int32_t>(table.step_lif_i32, neuron, {-1, -3, 3}, 0).v == Membranes{0, -1, 2});
  }
}

TEST_CASE("the membrane saturates at both ends") {
  const Neuron low{.leak_param = 32767}, high{.psi = 4096, .leak = Leak::kNone};
  for (const KernelTable& table : tables()) {
    CAPTURE(table.isa);
    const Trace l = run<int16_t>(table.step_lif_i16, low, {-32768}, INT16_MIN);
    CHECK(l.spikes == Spikes{false});
    CHECK(l.v == Membranes{-32768});
    CHECK(run<int8_t>(table.step_lif_i8, low, {-32768}, -127).v == Membranes{-127});
    const Trace h = run<int16_t>(table.step_lif_i16, high, {10000}, 30000);
    CHECK(h.spikes == Spikes{true});
    CHECK(h.v == Membranes{28671});
  }
}

TEST_CASE("the leaks at decay 1/2, as tabled") {
  struct Row {
    int16_t v;
    int32_t q15, half_floor, shift, tz;
  };
  const Row rows[] = {{-5, -2, -3, -2, -2}, {-3, -1, -2, -1, -1}, {-1, 0, -1, 0, 0},
                      {1, 1, 0, 1, 0},      {3, 2, 1, 2, 1},      {5, 3, 2, 3, 2}};
  for (const KernelTable& table : tables()) {
    for (const Row& row : rows) {
      const auto after = [&](Leak leak, int32_t param) {
        return run<int16_t>(table.step_lif_i16, {.leak = leak, .leak_param = param}, {0}, row.v).v[0];
      };
      CAPTURE(table.isa);
      CAPTURE(row.v);
      CHECK(after(Leak::kQ15, 16384) == row.q15);
      CHECK(after(Leak::kHalfFloor, 0) == row.half_floor);
      CHECK(after(Leak::kShift, 1) == row.shift);
      CHECK(after(Leak::kTz12, 2048) == row.tz);
      CHECK(after(Leak::kNone, 0) == row.v);
    }
  }
}

}  // namespace
}  // namespace snncore::test
