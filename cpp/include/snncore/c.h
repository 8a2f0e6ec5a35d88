/* The C interface of snncore: the binary promise. Every function that can fail returns 0 on success or an
 * snn_error code; the text of the last failure on this thread is in snn_last_error(). Pointers returned as
 * `const` live as long as their object. */
#ifndef SNNCORE_C_H_
#define SNNCORE_C_H_

#include <stddef.h>
#include <stdint.h>

#if defined(SNNCORE_STATIC)
#define SNN_API
#else
#define SNN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define SNN_C_API_VERSION 1

typedef struct snn_model snn_model;
typedef struct snn_session snn_session;

enum snn_error {
  SNN_OK = 0,
  SNN_INVALID_ARGUMENT,
  SNN_SHAPE,
  SNN_FORMAT,
  SNN_UNSUPPORTED,
  SNN_IO,
  SNN_STATE,
  SNN_INTERNAL
};
/* Raw pixels or counts, values, spikes (a byte each). */
enum snn_dtype { SNN_U8 = 0, SNN_F32 = 1, SNN_BOOL = 2 };
enum snn_mode { SNN_SEQUENCE = 0, SNN_STREAM = 1 };

SNN_API int snn_c_api_version(void);
SNN_API const char* snn_version(void);
SNN_API const char* snn_last_error(void);

SNN_API int snn_model_load(const char* path, snn_model** model);
SNN_API int snn_model_from_bytes(const void* bytes, size_t size,
                                 snn_model** model); /* bytes outlive the model */
SNN_API void snn_model_free(snn_model* model);
SNN_API size_t snn_model_input_count(const snn_model* model);
SNN_API size_t snn_model_output_count(const snn_model* model);
/* One step of one sample, [C, H, W] or [F]: writes up to `capacity` axes to `shape`, returns how many there
 * are (0: no such port). */
SNN_API size_t snn_model_input_shape(const snn_model* model, size_t index, int64_t* shape, size_t capacity);
SNN_API size_t snn_model_output_shape(const snn_model* model, size_t index, int64_t* shape, size_t capacity);
SNN_API const char* snn_model_label(const snn_model* model, size_t index); /* NULL past the last label */

/* timesteps 0: as the file says. */
SNN_API int snn_session_new(const snn_model* model, int mode, int64_t timesteps, int64_t batch, int threads,
                            snn_session** session);
SNN_API void snn_session_free(snn_session* session);
/* One input and one output, in the file's layout; sizes in elements are checked. */
SNN_API int snn_session_run(snn_session* session, int dtype, const void* input, size_t input_count,
                            float* output, size_t output_count);
SNN_API void snn_session_reset(snn_session* session);
/* What the last run or step gave: float32 in user order, valid until the session's next call. */
SNN_API int snn_session_output(const snn_session* session, size_t index, const float** values, size_t* count);

/* The state as bytes, for another session of the same model and settings. `size` is set in any case; `state`
 * may be NULL to ask for it. */
SNN_API int snn_session_save_state(const snn_session* session, void* state, size_t capacity, size_t* size);
SNN_API int snn_session_load_state(snn_session* session, const void* state, size_t size);

/* Events of an event camera: columns of `count` elements. Column and row of the pixel ([F] inputs: the
 * element, and 0), polarity 0 or 1, microseconds (may be NULL where windows go by count). */
typedef struct {
  const uint16_t *x, *y;
  const uint8_t* polarity;
  const int64_t* time;
  size_t count;
} snn_events;

/* How events become steps (docs/events.md): windows of so many microseconds, or, where `count` is more than
 * 0, of so many events; bits of a clock that starts again at 0, or 0; the most empty windows that are run in
 * one gap. */
typedef struct {
  int64_t microseconds, count;
  int32_t clock_bits;
  int64_t max_gap;
} snn_event_window;
#define SNN_EVENT_WINDOW_DEFAULT \
  { 1000, 0, 0, 1000 }

/* Steps run, events dropped because their window's step had been run, and empty windows that were not run. */
typedef struct {
  int64_t steps, late, skipped;
} snn_event_report;

/* Called after each step, when snn_session_output is that step's; or NULL. It must not run, push, flush or
 * reset. */
typedef void (*snn_on_step)(snn_session* session, void* user);

/* For sessions of mode SNN_STREAM and batch 1. Takes events and runs a step for every window that is
 * complete; the last window stays open. Nothing is taken when the call fails. `report` may be NULL. */
SNN_API int snn_session_push_events(snn_session* session, const snn_events* events,
                                    const snn_event_window* window, snn_on_step on_step, void* user,
                                    snn_event_report* report);
/* Runs the step of the window that is open, if any. */
SNN_API int snn_session_flush_events(snn_session* session, snn_on_step on_step, void* user,
                                     snn_event_report* report);
/* Lets time pass without events: runs every window that ends at `now` or before. */
SNN_API int snn_session_advance_events(snn_session* session, int64_t now, snn_on_step on_step, void* user,
                                       snn_event_report* report);

#ifdef __cplusplus
}
#endif

#endif
