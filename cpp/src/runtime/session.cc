#include <snncore/session.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "format/model_impl.h"
#include "kernels/table.h"
#include "runtime/events.h"
#include "runtime/program.h"
#include "runtime/read_input.h"
#include "runtime/user_order.h"

namespace snncore {

Program::Program(const Model& model, const Options& options) {
  if (const char* problem = kernels::selection_error()) throw Error(ErrorCode::kInvalidArgument, problem);
  impl_ = runtime::plan_program(model.impl(), options);
}

size_t Program::session_bytes() const noexcept {
  return impl_->scratch_bytes + impl_->state_bytes + impl_->threads() * impl_->lane_bytes;
}

size_t Program::weight_bytes() const noexcept {
  size_t total = 0;
  for (const Memory::Node& node : impl_->nodes) total += node.weights;
  return total;
}

Memory Program::memory() const {
  Memory m{
      .nodes = impl_->nodes, .values = impl_->scratch_bytes, .workers = impl_->threads() * impl_->lane_bytes};
  for (const Memory::Node& node : m.nodes) {
    m.weights += node.weights;
    m.membranes += node.membranes;
    m.history += node.history;
  }
  return m;
}

size_t required_bytes(const Model& model, const Options& options) {
  return Program(model, options).session_bytes();
}

struct Session::Impl {
  explicit Impl(const Program& planned)
      : program(planned.impl()),
        scratch(AlignedBuffer::of_parts(program->scratch_bytes)),
        state(AlignedBuffer::of_parts(program->state_bytes)),
        lanes(AlignedBuffer::of_parts(program->threads() * program->lane_bytes)),
        pool(program->options.parallel_for ? 1 : program->threads()),
        claims(program->options.parallel_for ? program->threads() : 1) {
    frame.scratch = scratch.data();
    frame.state = state.data();
    frame.lanes = lanes.data();
    frame.lane_bytes = program->lane_bytes;
    for (const auto& out : program->outputs) {
      outputs.emplace_back(runtime::element_count(out, program->steps, program->batch));
    }
    unpacked.assign(outputs.size(), true);
    if (program->inputs.size() == 1) {
      flat_view.shape = runtime::input_shape(program->inputs[0], program->steps, program->batch);
      for (const int64_t axis : flat_view.shape) flat_count *= static_cast<size_t>(axis);
    }
    if (!program->options.parallel_for) return;
    worker_task = [this](size_t worker) {
      claims.work(worker, [&](size_t first, size_t end) { work(this, worker, first, end); });
    };
  }

  // Chunks of the current step.
  static void work(void* self, size_t worker, size_t first, size_t end) noexcept {
    const auto* s = static_cast<const Impl*>(self);
    for (size_t i = first; i < end; ++i) s->current->run(s->frame, i, s->frame.lane(worker));
  }

  void clear_state() noexcept {
    if (state.size() != 0) std::memset(state.data(), 0, state.size());
  }

  void execute() {
    spent.empty() ? execute_steps() : execute_timed();
    unpacked.assign(outputs.size(), false);
  }

  void execute_steps() {
    for (const auto& planned : program->plan) execute(*planned.step);
  }

  void execute_timed() {
    const auto seconds = program->threads() == 1 ? thread_seconds : wall_seconds;
    for (const auto& planned : program->plan) {
      const double start = seconds();
      execute(*planned.step);
      spent[planned.layer] += seconds() - start;
    }
  }

  void execute(const runtime::Step& step) {
    current = &step;
    if (!worker_task) return pool.run(step.chunks(), &work, this);
    claims.reset(step.chunks());
    program->options.parallel_for(program->threads(), worker_task);
  }

  // Values are put in user order when they are asked for: who takes spikes packed does not pay for floats.
  const std::vector<float>& output(size_t i) {
    if (!unpacked[i]) {
      runtime::copy_reals(program->outputs[i], frame, program->steps, program->batch, outputs[i].data());
      unpacked[i] = true;
    }
    return outputs[i];
  }

  void run(std::span<const TensorView> inputs) {
    if (inputs.size() != program->inputs.size()) {
      throw Error(ErrorCode::kShape, "the model has " + std::to_string(program->inputs.size()) +
                                         " inputs, received " + std::to_string(inputs.size()));
    }
    const bool stream = program->stream();
    const auto taken = static_cast<int64_t>(program->steps);
    check_no_events();
    if (stream) check_steps(taken);
    clean = false;
    for (size_t i = 0; i < inputs.size(); ++i)
      runtime::read_input(program->inputs[i], inputs[i], program->steps, program->batch, frame);
    frame.steps_before = stream ? steps : 0;
    steps = frame.steps_before + taken;
    if (!stream) clear_state();
    for (size_t round = 0; round < program->rounds(); ++round, ++frame.steps_before) execute();
  }

  // For models with one input and one output: sizes instead of shapes.
  void run_flat(const void* data, size_t count, DType dtype, std::span<float> out) {
    if (flat_view.shape.empty() || outputs.size() != 1) {
      throw Error(ErrorCode::kShape, "this call is for models with one input and one output");
    }
    if (count != flat_count || out.size() != outputs[0].size()) {
      throw Error(ErrorCode::kShape, program->inputs[0].name + ": expected " + std::to_string(flat_count) +
                                         " elements " + shape_string(flat_view.shape) + " and room for " +
                                         std::to_string(outputs[0].size()) + " results, received " +
                                         std::to_string(count) + " and " + std::to_string(out.size()));
    }
    flat_view.data = data;
    flat_view.dtype = dtype;
    run({&flat_view, 1});
    std::ranges::copy(output(0), out.begin());
  }

  void check_steps(int64_t more) const {
    if (more > program->max_steps - steps) {
      throw Error(ErrorCode::kState, program->limited_by + " " + std::to_string(program->max_steps) +
                                         " steps: call reset() first");
    }
  }

  void check_no_events() const {
    if (!clock || !clock->open()) return;
    throw Error(ErrorCode::kState,
                "events of an unfinished window wait: call flush_events() or reset() first");
  }

  // Everything that can be wrong with a push is found here, before anything is taken.
  void prepare_events(const Events& events, const EventWindow& window) {
    if (!program->stream() || program->batch != 1 || program->inputs.size() != 1) {
      throw Error(ErrorCode::kUnsupported,
                  "events: expected a stream session of one sample and a model with one input");
    }
    runtime::check_window(window);
    if (!binner) binner = std::make_unique<runtime::EventBinner>(program->inputs[0]);
    binner->check(events, window);
    if (!clock || clock->window() != window) {
      check_no_events();
      clock.emplace(window);
    }
    if (program->max_steps != INT64_MAX) check_steps(steps_of(events, *clock));
  }

  static int64_t steps_of(const Events& events, runtime::EventClock ahead) noexcept {
    int64_t count = 0;
    for (size_t i = 0; i < events.x.size(); ++i) {
      if (ahead.window().count > 0) {
        count += ahead.count() ? 1 : 0;
      } else {
        const auto move = ahead.move_to(events.time[i], true);
        count += move.empty + (move.close ? 1 : 0);
      }
    }
    return count;
  }

  EventReport push(const Events& events, const EventWindow& window, const EventStep& on_step) {
    prepare_events(events, window);
    if (!clean) binner->wipe(frame);
    clean = true;
    EventReport report;
    const bool by_count = window.count > 0;
    for (size_t i = 0; i < events.x.size(); ++i) {
      if (!by_count && !follow(clock->move_to(events.time[i], true), report, on_step)) continue;
      binner->place(frame, events.x[i], events.y[i], events.polarity[i]);
      if (by_count && clock->count()) event_step(report, on_step);
    }
    return report;
  }

  // Runs the steps that a move of the clock asks for; false when the event is late.
  bool follow(const runtime::EventClock::Move& move, EventReport& report, const EventStep& on_step) {
    report.late += move.late ? 1 : 0;
    report.skipped += move.skipped;
    if (move.close) event_step(report, on_step);
    for (int64_t i = 0; i < move.empty; ++i) event_step(report, on_step);
    return !move.late;
  }

  void event_step(EventReport& report, const EventStep& on_step) {
    frame.steps_before = steps++;
    execute();
    binner->clear(frame);
    ++report.steps;
    if (on_step) on_step();
  }

  EventReport flush(const EventStep& on_step) {
    EventReport report;
    if (!clock || !clock->open()) return report;
    check_steps(1);
    clock->close();
    event_step(report, on_step);
    return report;
  }

  EventReport advance(int64_t now, const EventStep& on_step) {
    EventReport report;
    if (!clock || clock->window().count > 0) {
      throw Error(ErrorCode::kState, "advance_events: expected a push_events with windows by time before");
    }
    runtime::check_time(now, clock->window());
    runtime::EventClock ahead = *clock;
    const auto move = ahead.move_to(now, false);
    check_steps(move.empty + (move.close ? 1 : 0));
    follow(clock->move_to(now, false), report, on_step);
    report.late = 0;
    return report;
  }

  void forget_events() noexcept {
    if (clock && clock->open()) binner->clear(frame);
    clock.reset();
  }

  std::shared_ptr<const Program::Impl> program;
  AlignedBuffer scratch, state, lanes;
  WorkerPool pool;
  runtime::Frame frame;
  std::vector<std::vector<float>> outputs;
  std::vector<bool> unpacked;  // which of `outputs` hold the values of the last run
  const runtime::Step* current = nullptr;
  Claims claims;  // for somebody else's workers
  std::function<void(size_t)> worker_task;
  std::vector<double> spent;  // seconds of each layer, where they are timed
  TensorView flat_view;       // shape stays empty unless there is exactly one input
  size_t flat_count = 1;
  int64_t steps = 0;
  std::unique_ptr<runtime::EventBinner> binner;  // these two from the first push on
  std::optional<runtime::EventClock> clock;
  bool clean = false;  // the input slot holds nothing but the events of the open window
};

Session::Session(const Model& model, const Options& options) : Session(Program(model, options)) {}
Session::Session(const Program& program) : impl_(std::make_unique<Impl>(program)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

void Session::run(std::span<const TensorView> inputs) { impl_->run(inputs); }

namespace {
void check_output(size_t index, size_t count) {
  if (index < count) return;
  throw Error(ErrorCode::kInvalidArgument,
              "output " + std::to_string(index) + ": the model has " + std::to_string(count));
}
}  // namespace

std::span<const float> Session::output(size_t index) const {
  check_output(index, impl_->outputs.size());
  return impl_->output(index);
}

Shape Session::output_shape(size_t index) const {
  check_output(index, impl_->outputs.size());
  return runtime::value_shape(impl_->program->outputs[index], impl_->program->steps, impl_->program->batch);
}

BitTensor Session::packed_output(size_t index) const {
  const Shape shape = output_shape(index);  // checks the index
  const Program::Impl& program = *impl_->program;
  const Program::Impl::Value& value = program.outputs[index];
  require(value.slot.type == ops::EdgeType::kSpike, ErrorCode::kInvalidArgument,
          "output '" + value.name + "' " + shape_string(shape) + " is not spikes and cannot be packed");
  uint64_t* words = nullptr;
  BitTensor spikes = BitTensor::make(runtime::packed_shape(value, program.steps, program.batch), &words);
  runtime::copy_spikes(value, impl_->frame, program.steps, program.batch, words);
  return spikes;
}

void Session::run(std::span<const uint8_t> pixels, std::span<float> out) {
  impl_->run_flat(pixels.data(), pixels.size(), DType::kU8, out);
}

void Session::run(std::span<const float> values, std::span<float> out) {
  impl_->run_flat(values.data(), values.size(), DType::kF32, out);
}

void Session::run(std::span<const bool> spikes, std::span<float> out) {
  impl_->run_flat(spikes.data(), spikes.size(), DType::kBool, out);
}

EventReport Session::push_events(const Events& events, const EventWindow& window, const EventStep& on_step) {
  return impl_->push(events, window, on_step);
}

EventReport Session::flush_events(const EventStep& on_step) { return impl_->flush(on_step); }

EventReport Session::advance_events(int64_t now, const EventStep& on_step) {
  return impl_->advance(now, on_step);
}

void Session::reset() noexcept {
  impl_->forget_events();
  impl_->clear_state();
  impl_->steps = 0;
}

int64_t Session::steps() const noexcept { return impl_->steps; }

std::vector<Recording> Session::recordings() const {
  std::vector<Recording> all;
  for (const auto& value : impl_->program->records) {
    all.push_back(runtime::record(value, impl_->frame, impl_->program->steps, impl_->program->batch));
  }
  return all;
}

void Session::time_layers(bool on) { impl_->spent.assign(on ? impl_->program->layers.size() : 0, 0.0); }

std::vector<LayerTime> Session::layer_times() const {
  std::vector<LayerTime> times;
  for (size_t i = 0; i < impl_->spent.size(); ++i) {
    const Program::Impl::Layer& layer = impl_->program->layers[i];
    times.push_back({layer.name, layer.sums, impl_->spent[i], layer.operations});
  }
  return times;
}

std::vector<std::byte> Session::save_state() const {
  impl_->check_no_events();
  return runtime::save_state(impl_->program->kept, impl_->steps, {impl_->state.data(), impl_->state.size()});
}

void Session::load_state(std::span<const std::byte> state) {
  impl_->steps = runtime::load_state(impl_->program->kept, impl_->program->max_steps, state,
                                     {impl_->state.data(), impl_->state.size()});
  impl_->forget_events();
}

}  // namespace snncore
