#include "kernels/avx2/planes.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
#include "kernels/body/planes_b1.inc"
}  // namespace

void planes_of_rows_b1(const uint64_t* rows, size_t words, size_t count, uint8_t* planes, size_t pitch) {
  rows_to_planes(rows, words, count, planes, pitch);
}

void planes_of_columns_b1(const uint64_t* rows, size_t words, size_t count, uint8_t* planes, size_t pitch) {
  columns_to_planes(rows, words, count, planes, pitch);
}

void transpose_b1(const uint64_t* rows, size_t words, size_t count, size_t columns, uint64_t* out) {
  transpose_rows(rows, words, count, columns, out);
}

}  // namespace snncore::kernels::avx2
