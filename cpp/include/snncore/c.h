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

#ifdef __cplusplus
}
#endif

#endif
