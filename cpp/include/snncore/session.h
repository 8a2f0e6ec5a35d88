/// \file
/// Running a model: Program (the plan), Session (state and scratch).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <snncore/bit_tensor.h>
#include <snncore/events.h>
#include <snncore/model.h>
#include <snncore/tensor.h>

namespace snncore {

/// `kSequence`: every run starts from zero state and takes all time steps at once. `kStream`: one step a run,
/// state continues until `reset`. Both give the same spikes.
enum class Mode : uint8_t { kSequence, kStream };

struct Options {
  Mode mode = Mode::kSequence;
  int64_t timesteps = 0;  ///< steps of a sequence run, 1..4096; 0: as the file says. Ignored in stream mode.
  int64_t batch = 1;      ///< samples a run; in stream mode each has its own state
  int threads = 1;        ///< 1..256; the result does not depend on it
  /// Layout of the input arrays, a permutation of the axes N, C, H, W (vectors: N, C) and T. Empty: as the
  /// file says. Without T one frame is repeated for all time steps, and what does not change with time is
  /// computed once.
  std::string layout = {};
  /// What to keep of a run: "<neuron>" its spikes, "<neuron>.v" its membrane after reset, "<neuron>.i"
  /// its synaptic current, "<readout>.sum" integer sums.
  std::vector<std::string> record = {};
  /// false: only what `record` names is computed; the session has no outputs then.
  bool outputs = true;
  /// Called as parallel_for(count, task) instead of the library's own threads; must call task(i) once for
  /// every i < count and return when all are done. Empty: own threads.
  std::function<void(size_t count, const std::function<void(size_t)>& task)> parallel_for = {};
};

/// What was kept of one name in Options::record. `shape` is [T, N, C, H, W] or [T, N, F] (sums: [N, F]), the
/// data in that order.
struct Recording {
  std::string name;
  DType dtype = DType::kB1;  ///< kB1: packed along channels, shape [T, N, H, W, C] or [T, N, F]; kI32, kI64
                             ///< (sums), kF32
  Shape shape;
  std::vector<std::byte> data;
};

/// What a run holds in memory, in bytes as they are allocated: alignment and padding included. Beside it are
/// constants of channels, a few bytes for each, and the file.
struct Memory {
  struct Node {
    std::string name;
    size_t weights = 0;    ///< laid out for this CPU
    size_t membranes = 0;  ///< of a neuron: also its synaptic current, ages and refractory times
    size_t history = 0;    ///< what a delay, a readout or a saccade keeps
  };
  std::vector<Node> nodes;  ///< those that hold something, in the order of the graph
  size_t weights = 0;       ///< of all nodes: one copy for all Programs and Sessions of a Model
  /// Of all nodes, for each Session; 0 in sequence mode without a loop, where membranes stay in registers.
  size_t membranes = 0, history = 0;
  size_t values = 0;   ///< what layers hand on to each other, for each Session
  size_t workers = 0;  ///< private to the threads of a Session, together

  /// What a Session allocates.
  [[nodiscard]] size_t session() const noexcept { return membranes + history + values + workers; }
};

/// A planned model: kernels chosen, weights laid out, memory settled. Immutable; threads may share it.
class SNNCORE_API Program {
 public:
  /// Throws Error(kInvalidArgument), Error(kShape), Error(kUnsupported) or Error(kState) for options that the
  /// model cannot take.
  Program(const Model& model, const Options& options);

  /// Bytes of state and scratch that one Session takes, and of weights that were laid out again for this CPU.
  [[nodiscard]] size_t session_bytes() const noexcept;
  [[nodiscard]] size_t weight_bytes() const noexcept;
  /// The same, node by node.
  [[nodiscard]] Memory memory() const;

  struct Impl;
  [[nodiscard]] const std::shared_ptr<const Impl>& impl() const noexcept { return impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

/// The bytes that `Session(model, options)` will allocate for state and scratch.
SNNCORE_API size_t required_bytes(const Model& model, const Options& options);

/// What one node of the graph took. What is computed on the way into a neuron is the neuron's: sums that it
/// alone reads never exist.
struct LayerTime {
  std::string name;               ///< of the node; "" for moving what loops carry
  std::vector<std::string> sums;  ///< nodes whose sums are computed in it, itself perhaps
  double seconds = 0;             ///< of the processor with one thread, else wall time
  double operations = 0;          ///< of one run: weights times inputs, or bits compared, zeros included
};

/// State and scratch of one stream of input. Belongs to one thread at a time; a Program may serve many.
class SNNCORE_API Session {
 public:
  explicit Session(const Model& model, const Options& options = {});
  explicit Session(const Program& program);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Runs once (sequence: all steps, stream: one step). `inputs` in the order of Model::inputs, arrays in
  /// Options::layout with batch and timesteps as planned; dtype kU8 = raw pixels, kF32 = normalised values
  /// (of pixels: finite, the nearest of 0 to 255 is taken), kBool or kB1 = spikes (kB1: packed along C,
  /// layout T N H W C without the axes that do not exist), which may also be kU8 or kF32 of 0 and 1. Throws
  /// Error(kShape) before anything is computed, and Error(kState) when a profile X model would take more
  /// steps than it can, or a window of `push_events` is open. Allocates nothing.
  void run(std::span<const TensorView> inputs);

  /// The value of an output after `run`: float32, [N, F] of a readout, or [T, N, ...] of another edge, in
  /// user order. Spikes are unpacked when first asked for. Valid until the next call of `run`.
  [[nodiscard]] std::span<const float> output(size_t index = 0) const;
  [[nodiscard]] Shape output_shape(size_t index = 0) const;

  /// An output of spikes as it lies, packed: shape [T, N, H, W, C] or [T, N, F]. Throws
  /// Error(kInvalidArgument) for an output that is not spikes.
  [[nodiscard]] BitTensor packed_output(size_t index = 0) const;

  /// The same for models with one input and one output. Throws Error(kShape) when the sizes differ from what
  /// is planned.
  void run(std::span<const uint8_t> pixels, std::span<float> out);
  void run(std::span<const float> values, std::span<float> out);
  void run(std::span<const bool> spikes, std::span<float> out);

  /// Takes events (stream mode, batch 1, one input: spikes, counts or f32, of 1 or 2 channels or a vector),
  /// and runs a step for every window that is complete; the last one stays open for more. An event sets its
  /// bit, adds to its count up to the edge's greatest, or adds 1.0F; no frame is made, and what was written
  /// is cleared event by event. Events may come in any order within their window; later ones are dropped and
  /// counted. Everything is checked before anything is taken: throws Error(kShape) or Error(kInvalidArgument)
  /// for bad columns or an event off the sensor, Error(kUnsupported) for a session that takes no events,
  /// Error(kState) where the open window has another length, and as `run` for profile X. The first push
  /// allocates, those after it do not.
  EventReport push_events(const Events& events, const EventWindow& window = {},
                          const EventStep& on_step = {});

  /// Runs the step of the window that is open, if any: for the end of a recording. Events of this window
  /// that come later are late.
  EventReport flush_events(const EventStep& on_step = {});

  /// Lets time pass without events: runs every window that ends at `now` or before, as the next event would.
  EventReport advance_events(int64_t now, const EventStep& on_step = {});

  /// Sets all state to zero and the step count to 0, and forgets the events of an open window.
  void reset() noexcept;
  /// Steps taken since the last reset (sequence: those of the last run).
  [[nodiscard]] int64_t steps() const noexcept;

  /// What the last run recorded, in the order of Options::record.
  [[nodiscard]] std::vector<Recording> recordings() const;

  /// Starts (from zero) or ends the timing of layers, which costs two readings of a clock for each; then the
  /// times of all runs since, in the order of the plan. Empty unless started.
  void time_layers(bool on);
  [[nodiscard]] std::vector<LayerTime> layer_times() const;

  /// The state as bytes, to continue later in a Session of the same model and options. Events of an open
  /// window are no part of it: `save_state` throws Error(kState) while there are some, `load_state` forgets
  /// them, and throws Error(kFormat).
  [[nodiscard]] std::vector<std::byte> save_state() const;
  void load_state(std::span<const std::byte> state);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace snncore
