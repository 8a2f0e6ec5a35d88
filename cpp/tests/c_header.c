/* The C interface read by a C compiler, and used as a C program would. */
#include <snncore/c.h>

int run_in_c(const void* model_bytes, size_t size, const uint8_t* pixels, size_t count, float* out,
             size_t outputs);

int run_in_c(const void* model_bytes, size_t size, const uint8_t* pixels, size_t count, float* out,
             size_t outputs) {
  snn_model* model = NULL;
  snn_session* session = NULL;
  int status = snn_model_from_bytes(model_bytes, size, &model);
  if (status == SNN_OK) status = snn_session_new(model, SNN_SEQUENCE, 0, 1, 1, &session);
  if (status == SNN_OK) status = snn_session_run(session, SNN_U8, pixels, count, out, outputs);
  snn_session_free(session);
  snn_model_free(model);
  return status;
}
