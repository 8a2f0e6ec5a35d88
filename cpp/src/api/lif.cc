#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <snncore/error.h>
#include <snncore/neurons.h>

#include "base/align.h"
#include "base/checked.h"
#include "base/parallel.h"
#include "kernels/table.h"
#include "neurons/run_lif.h"

namespace snncore {
namespace {

using neurons::LifExtents;

[[noreturn]] void refuse(const std::string& message, ErrorCode code = ErrorCode::kInvalidArgument) {
  throw Error(code, message);
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

LifExtents check_shape(const std::string& op, const Currents& x) {
  if (x.shape.size() < 3)
    refuse(op + ": expected [T, N, C, ...], received " + shape_string(x.shape), ErrorCode::kShape);
  const bool empty = std::any_of(x.shape.begin(), x.shape.end(), [](int64_t extent) { return extent < 1; });
  if (empty) {
    refuse(op + ": expected at least one step, sample and neuron, received " + shape_string(x.shape),
           ErrorCode::kShape);
  }
  const int64_t elements = element_count(x.shape, op);
  const int64_t channels = x.channels_last ? x.shape.back() : x.shape[2];
  return {.steps = static_cast<size_t>(x.shape[0]),
          .samples = static_cast<size_t>(x.shape[1]),
          .channels = static_cast<size_t>(channels),
          .places = static_cast<size_t>(elements / x.shape[0] / x.shape[1] / channels),
          .channels_last = x.channels_last || x.shape.size() == 3};
}

// [T, N, ..., C]
Shape spike_shape(const Currents& x) {
  Shape shape = x.shape;
  if (!x.channels_last) std::rotate(shape.begin() + 2, shape.begin() + 3, shape.end());
  return shape;
}

// Threads that sleep take a while to wake: one more pays from about this many neuron steps on.
constexpr double kThreadSteps = 1 << 20;

size_t worth_threads(const std::string& op, const LifExtents& e, size_t threads) {
  if (const char* problem = kernels::selection_error()) refuse(problem);
  check_threads(op, static_cast<int64_t>(threads));
  const double steps = static_cast<double>(e.steps) * static_cast<double>(e.samples) *
                       static_cast<double>(e.channels) * static_cast<double>(e.places);
  return std::min(threads,
                  static_cast<size_t>(std::min(1 + steps / kThreadSteps, static_cast<double>(kMaxThreads))));
}

// Workers have scratch of their own.
void run_shared(const neurons::LifRun& run, size_t threads) {
  const size_t pitch = align_up(run.scratch_bytes());
  const size_t workers = std::min(threads, run.parts());
  const AlignedBuffer scratch(workers * pitch);
  struct Work {
    const neurons::LifRun& run;
    size_t pitch;
    std::byte* scratch;
  } work{run, pitch, scratch.data()};
  const auto some = [](void* argument, size_t worker, size_t first, size_t end) noexcept {
    const auto& w = *static_cast<const Work*>(argument);
    w.run.run(first, end - first, w.scratch + worker * w.pitch);
  };
  run_on_workers(workers, run.parts(), some, &work);
}

// The constants of an integer neuron as its kernel takes them: State is int16_t or int32_t.
template <typename State>
class IntRows final : public neurons::RowNeuron {
 public:
  IntRows(const kernels::LifNeuron& neuron, std::span<const int32_t> theta, std::span<const int32_t> psi,
          size_t channels)
      : neuron_(neuron), theta_(padded(theta, channels)), psi_(psi.empty() ? theta_ : padded(psi, channels)) {
    subtract_ = !psi.empty();
  }

  void run(const kernels::LifRows& rows, size_t channel) const noexcept override {
    kernels::LifNeuron neuron = neuron_;
    neuron.theta = theta_.data() + channel;
    neuron.psi = subtract_ ? psi_.data() + channel : nullptr;
    const kernels::KernelTable& table = kernels::kernels();
    (sizeof(State) == 2 ? table.run_lif_i16 : table.run_lif_i32)(rows, neuron);
  }

 private:
  static std::vector<State> padded(std::span<const int32_t> values, size_t channels) {
    std::vector<State> all(kernels::pad_channels(channels));
    for (size_t c = 0; c < channels; ++c) all[c] = static_cast<State>(values[values.size() == 1 ? 0 : c]);
    return all;
  }

  kernels::LifNeuron neuron_;
  std::vector<State> theta_, psi_;
  bool subtract_ = false;
};

class FloatRows final : public neurons::RowNeuron {
 public:
  explicit FloatRows(const NeuronSpec& spec) {
    tile_.decay = static_cast<float>(spec.decay);
    tile_.input_gain = static_cast<float>(spec.input_gain);
    tile_.threshold = static_cast<float>(spec.threshold);
    tile_.subtract = spec.reset == "subtract";
    tile_.strict = spec.strict;
  }

  void run(const kernels::LifRows& rows, size_t) const noexcept override {
    kernels::LifFloatTile tile = tile_;
    tile.currents = static_cast<const float*>(rows.currents);
    tile.currents_t_stride = rows.t_stride;
    tile.steps = rows.steps;
    tile.pixels = rows.rows;
    tile.channels = rows.lanes;
    tile.channels_padded = rows.row_stride;
    tile.out = rows.out;
    tile.out_stride = rows.out_stride;
    tile.out_t_stride = rows.out_t_stride;
    kernels::kernels().step_lif_f32(tile);
  }

 private:
  kernels::LifFloatTile tile_{};
};

constexpr const char* kInt = "lif_int";

// A leak by name, and what its parameter may be.
struct LeakRule {
  const char* name;
  kernels::Leak leak;
  int64_t lo, hi;
};
constexpr LeakRule kLeaks[] = {{"none", kernels::Leak::kNone, 0, 0},
                               {"q15", kernels::Leak::kQ15, 0, 32767},
                               {"half_floor", kernels::Leak::kHalfFloor, 0, 0},
                               {"shift", kernels::Leak::kShift, 1, 15},
                               {"tz12", kernels::Leak::kTz12, 0, 4096}};

const LeakRule& leak_rule(const IntNeuronSpec& spec) {
  for (const LeakRule& rule : kLeaks) {
    if (spec.leak != rule.name) continue;
    if (spec.leak_param < rule.lo || spec.leak_param > rule.hi) {
      refuse("lif_int: expected a leak_param of " + std::to_string(rule.lo) + ".." + std::to_string(rule.hi) +
             " for leak '" + rule.name + "', received " + std::to_string(spec.leak_param));
    }
    return rule;
  }
  refuse("lif_int: expected leak 'none', 'q15', 'half_floor', 'shift' or 'tz12', received " +
         quoted(spec.leak));
}

void check_names(const std::string& op, const std::string& reset, const IntNeuronSpec* integer) {
  if (reset != "zero" && reset != "subtract") {
    refuse(op + ": expected reset 'zero' or 'subtract', received " + quoted(reset));
  }
  if (integer == nullptr) return;
  if (integer->state != "i8" && integer->state != "i16" && integer->state != "i32") {
    refuse(op + ": expected state 'i8', 'i16' or 'i32', received " + quoted(integer->state));
  }
  if (integer->profile != "U" && integer->profile != "W") {
    refuse(op + ": expected profile 'U' or 'W', received " + quoted(integer->profile));
  }
}

void check_constants(const std::string& name, std::span<const int32_t> values, size_t channels, int64_t lo,
                     int64_t hi) {
  if (values.size() != 1 && values.size() != channels) {
    refuse("lif_int: " + name + ": expected one number or " + std::to_string(channels) + ", received " +
               std::to_string(values.size()),
           ErrorCode::kShape);
  }
  for (const int32_t v : values) {
    if (v < lo || v > hi) {
      refuse("lif_int: " + name + ": expected " + std::to_string(lo) + ".." + std::to_string(hi) +
             ", received " + std::to_string(v));
    }
  }
}

template <typename T>
void check_unclipped(const T* values, size_t count) {
  T least = 0, most = 0;
  for (size_t i = 0; i < count; ++i) {
    least = std::min(least, values[i]);
    most = std::max(most, values[i]);
  }
  if (least < -INT16_MAX || most > INT16_MAX) {
    refuse("lif_int: profile U with a state of at most 16 bits takes currents of -32767..32767, received " +
           std::to_string(least) + " to " + std::to_string(most));
  }
}

// Where the currents start, what they are, and the bytes of one.
struct Held {
  kernels::LifRows rows;
  size_t bytes;
};

Held held(const Currents& x) {
  using kernels::CurrentType;
  constexpr CurrentType kTypes[] = {CurrentType::kI8, CurrentType::kI16, CurrentType::kI32,
                                    CurrentType::kI32};
  constexpr size_t kBytes[] = {1, 2, 4, 4};
  Held h{{}, kBytes[x.values.index()]};
  std::visit([&](const auto* values) { h.rows.currents = values; }, x.values);
  h.rows.type = kTypes[x.values.index()];
  return h;
}

bool is_float(const Currents& x) { return std::holds_alternative<const float*>(x.values); }

}  // namespace

BitTensor lif_int(const Currents& x, const IntNeuronSpec& spec, size_t threads, int32_t* membranes) {
  if (is_float(x)) refuse("lif_int: expected int8, int16 or int32 currents, received float32");
  const LifExtents extents = check_shape(kInt, x);
  check_names(kInt, spec.reset, &spec);
  const LeakRule& rule = leak_rule(spec);
  const bool wide = spec.state == "i32", subtract = spec.reset == "subtract";
  const int64_t limit = wide ? INT32_MAX : INT16_MAX;
  check_constants("theta", spec.theta, extents.channels, -limit, limit);
  if (subtract && spec.psi.empty()) refuse("lif_int: reset 'subtract' needs psi, one number or [C]");
  if (subtract) check_constants("psi", spec.psi, extents.channels, 0, limit);
  if (!subtract && !spec.psi.empty()) refuse("lif_int: expected no psi with reset 'zero'");
  const size_t workers = worth_threads(kInt, extents, threads);
  if (spec.profile == "U" && !wide) {
    const auto count = static_cast<size_t>(element_count(x.shape, kInt));
    std::visit([&](const auto* values) { check_unclipped(values, count); }, x.values);
  }

  uint64_t* words = nullptr;
  BitTensor spikes = BitTensor::zeros(spike_shape(x), &words);
  Held h = held(x);
  h.rows.out = words;
  h.rows.record = membranes;
  const kernels::LifNeuron neuron{.theta = nullptr,
                                  .psi = nullptr,
                                  .by_row = !extents.channels_last,
                                  .leak = rule.leak,
                                  .leak_param = static_cast<int32_t>(spec.leak_param),
                                  .leak_at_store = spec.leak_at_store,
                                  .clamp_i8 = spec.state == "i8"};
  const auto psi = subtract ? spec.psi : std::span<const int32_t>{};
  if (wide) {
    const IntRows<int32_t> rows(neuron, spec.theta, psi, extents.channels);
    run_shared({extents, rows, h.rows, h.bytes}, workers);
  } else {
    const IntRows<int16_t> rows(neuron, spec.theta, psi, extents.channels);
    run_shared({extents, rows, h.rows, h.bytes}, workers);
  }
  return spikes;
}

BitTensor lif(const Currents& x, const NeuronSpec& spec, size_t threads) {
  if (!is_float(x)) refuse("lif: expected float32 currents, received integers");
  const LifExtents extents = check_shape("lif", x);
  check_names("lif", spec.reset, nullptr);
  if (!(spec.decay >= 0 && spec.decay <= 1)) {
    refuse("lif: expected a decay of 0..1, received " + std::to_string(spec.decay));
  }
  if (!std::isfinite(static_cast<float>(spec.input_gain)) ||
      !std::isfinite(static_cast<float>(spec.threshold))) {
    refuse("lif: expected an input_gain and a threshold that are finite in float32");
  }
  const size_t workers = worth_threads("lif", extents, threads);
  uint64_t* words = nullptr;
  BitTensor spikes = BitTensor::zeros(spike_shape(x), &words);
  Held h = held(x);
  h.rows.out = words;
  const FloatRows rows(spec);
  run_shared({extents, rows, h.rows, h.bytes}, workers);
  return spikes;
}

}  // namespace snncore
