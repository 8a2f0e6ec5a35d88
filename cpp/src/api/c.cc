#include <snncore/c.h>
#include <snncore/snncore.h>

#include <algorithm>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <vector>

struct snn_model {
  snncore::Model model;
};

struct snn_session {
  snncore::Session session;
};

namespace {

thread_local std::string last_error;

int fail(int code, const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return code;
}

// Runs f; every exception becomes a code, its text what snn_last_error returns.
template <typename F>
int guarded(F&& f) noexcept {
  try {
    f();
    return SNN_OK;
  } catch (const snncore::Error& e) {
    return fail(static_cast<int>(e.code()), e.what());
  } catch (const std::bad_alloc&) {
    return fail(SNN_INTERNAL, "out of memory");
  } catch (const std::exception& e) {
    return fail(SNN_INTERNAL, e.what());
  } catch (...) {
    return fail(SNN_INTERNAL, "unknown failure");
  }
}

static_assert(static_cast<int>(snncore::ErrorCode::kInvalidArgument) == SNN_INVALID_ARGUMENT);
static_assert(static_cast<int>(snncore::ErrorCode::kShape) == SNN_SHAPE);
static_assert(static_cast<int>(snncore::ErrorCode::kFormat) == SNN_FORMAT);
static_assert(static_cast<int>(snncore::ErrorCode::kUnsupported) == SNN_UNSUPPORTED);
static_assert(static_cast<int>(snncore::ErrorCode::kIo) == SNN_IO);
static_assert(static_cast<int>(snncore::ErrorCode::kState) == SNN_STATE);

size_t copy_shape(const std::vector<snncore::PortInfo>& ports, size_t index, int64_t* shape,
                  size_t capacity) {
  if (index >= ports.size()) return 0;
  const snncore::Shape& from = ports[index].shape;
  std::copy_n(from.begin(), std::min(capacity, from.size()), shape);
  return from.size();
}

void need(bool ok, const char* message) {
  if (!ok) throw snncore::Error(snncore::ErrorCode::kInvalidArgument, message);
}

std::span<const int64_t> times(const snn_events& events) {
  return events.time == nullptr ? std::span<const int64_t>{} : std::span(events.time, events.count);
}

snncore::EventStep step_of(snn_session* session, snn_on_step on_step, void* user) {
  if (on_step == nullptr) return {};
  return [=] { on_step(session, user); };
}

void put(const snncore::EventReport& from, snn_event_report* to) {
  if (to != nullptr) *to = {from.steps, from.late, from.skipped};
}

}  // namespace

extern "C" {

int snn_c_api_version(void) { return SNN_C_API_VERSION; }
const char* snn_version(void) { return snncore::version(); }
const char* snn_last_error(void) { return last_error.c_str(); }

int snn_model_load(const char* path, snn_model** model) {
  return guarded([&] {
    need(path != nullptr && model != nullptr, "snn_model_load: null argument");
    *model = new snn_model{snncore::Model::load(path)};
  });
}

int snn_model_from_bytes(const void* bytes, size_t size, snn_model** model) {
  return guarded([&] {
    need(bytes != nullptr && model != nullptr, "snn_model_from_bytes: null argument");
    *model = new snn_model{snncore::Model::from_bytes(std::span(static_cast<const std::byte*>(bytes), size))};
  });
}

void snn_model_free(snn_model* model) { delete model; }

size_t snn_model_input_count(const snn_model* model) { return model->model.inputs().size(); }
size_t snn_model_output_count(const snn_model* model) { return model->model.outputs().size(); }

size_t snn_model_input_shape(const snn_model* model, size_t index, int64_t* shape, size_t capacity) {
  return copy_shape(model->model.inputs(), index, shape, capacity);
}

size_t snn_model_output_shape(const snn_model* model, size_t index, int64_t* shape, size_t capacity) {
  return copy_shape(model->model.outputs(), index, shape, capacity);
}

const char* snn_model_label(const snn_model* model, size_t index) {
  const auto& labels = model->model.labels();
  return index < labels.size() ? labels[index].c_str() : nullptr;
}

int snn_session_new(const snn_model* model, int mode, int64_t timesteps, int64_t batch, int threads,
                    snn_session** session) {
  return guarded([&] {
    need(model != nullptr && session != nullptr, "snn_session_new: null argument");
    need(mode == SNN_SEQUENCE || mode == SNN_STREAM,
         "snn_session_new: mode must be SNN_SEQUENCE or SNN_STREAM");
    snncore::Options options;
    options.mode = mode == SNN_STREAM ? snncore::Mode::kStream : snncore::Mode::kSequence;
    options.timesteps = timesteps;
    options.batch = batch;
    options.threads = threads;
    *session = new snn_session{snncore::Session(model->model, options)};
  });
}

void snn_session_free(snn_session* session) { delete session; }

int snn_session_run(snn_session* session, int dtype, const void* input, size_t input_count, float* output,
                    size_t output_count) {
  return guarded([&] {
    need(session != nullptr && input != nullptr && output != nullptr, "snn_session_run: null argument");
    const std::span<float> out(output, output_count);
    switch (dtype) {
      case SNN_F32:
        session->session.run(std::span(static_cast<const float*>(input), input_count), out);
        break;
      case SNN_U8:
        session->session.run(std::span(static_cast<const uint8_t*>(input), input_count), out);
        break;
      case SNN_BOOL:
        session->session.run(std::span(static_cast<const bool*>(input), input_count), out);
        break;
      default:
        need(false, "snn_session_run: dtype must be SNN_U8, SNN_F32 or SNN_BOOL");
    }
  });
}

void snn_session_reset(snn_session* session) { session->session.reset(); }

int snn_session_output(const snn_session* session, size_t index, const float** values, size_t* count) {
  return guarded([&] {
    need(session != nullptr && values != nullptr && count != nullptr, "snn_session_output: null argument");
    const std::span<const float> output = session->session.output(index);
    *values = output.data();
    *count = output.size();
  });
}

int snn_session_save_state(const snn_session* session, void* state, size_t capacity, size_t* size) {
  return guarded([&] {
    need(session != nullptr && size != nullptr, "snn_session_save_state: null argument");
    const std::vector<std::byte> bytes = session->session.save_state();
    *size = bytes.size();
    if (state == nullptr) return;
    if (capacity < bytes.size()) {
      throw snncore::Error(snncore::ErrorCode::kShape, "snn_session_save_state: expected room for " +
                                                           std::to_string(bytes.size()) +
                                                           " bytes, received " + std::to_string(capacity));
    }
    std::ranges::copy(bytes, static_cast<std::byte*>(state));
  });
}

int snn_session_load_state(snn_session* session, const void* state, size_t size) {
  return guarded([&] {
    need(session != nullptr && state != nullptr, "snn_session_load_state: null argument");
    session->session.load_state(std::span(static_cast<const std::byte*>(state), size));
  });
}

int snn_session_push_events(snn_session* session, const snn_events* events, const snn_event_window* window,
                            snn_on_step on_step, void* user, snn_event_report* report) {
  return guarded([&] {
    need(session != nullptr && events != nullptr && window != nullptr,
         "snn_session_push_events: null argument");
    const size_t count = events->count;
    need(count == 0 || (events->x != nullptr && events->y != nullptr && events->polarity != nullptr),
         "snn_session_push_events: x, y and polarity must not be null");
    const snncore::Events columns{std::span(events->x, count), std::span(events->y, count),
                                  std::span(events->polarity, count), times(*events)};
    const snncore::EventWindow as{window->microseconds, window->count, window->clock_bits, window->max_gap};
    put(session->session.push_events(columns, as, step_of(session, on_step, user)), report);
  });
}

int snn_session_flush_events(snn_session* session, snn_on_step on_step, void* user,
                             snn_event_report* report) {
  return guarded([&] {
    need(session != nullptr, "snn_session_flush_events: null argument");
    put(session->session.flush_events(step_of(session, on_step, user)), report);
  });
}

int snn_session_advance_events(snn_session* session, int64_t now, snn_on_step on_step, void* user,
                               snn_event_report* report) {
  return guarded([&] {
    need(session != nullptr, "snn_session_advance_events: null argument");
    put(session->session.advance_events(now, step_of(session, on_step, user)), report);
  });
}

}  // extern "C"
