#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

uint32_t popcount(uint32_t byte) {
  byte -= byte >> 1 & 0x55;
  byte = (byte & 0x33) + (byte >> 2 & 0x33);
  return (byte + (byte >> 4)) & 0x0f;
}

uint32_t shared(const ByteRows& rows, size_t r, const BytePlanes& planes, size_t lane) {
  uint32_t sum = 0;
  for (size_t b = 0; b < planes.count; ++b) {
    const uint32_t byte = rows.bytes[r * rows.row_stride + b * rows.byte_stride];
    sum += popcount(byte & planes.bytes[b * planes.pitch + lane]);
  }
  return sum;
}

}  // namespace

void gemm_b1b1_u16(const ByteRows& rows, const BytePlanes& planes, uint16_t* counts, size_t pitch, bool add) {
  for (size_t r = 0; r < rows.rows; ++r) {
    for (size_t l = 0; l < planes.lanes; ++l) {
      uint16_t& count = counts[r * pitch + l];
      count = static_cast<uint16_t>((add ? count : 0) + shared(rows, r, planes, l));
    }
  }
}

void gemm_b1b1_b1(const ByteRows& rows, const BytePlanes& planes, uint32_t threshold, uint64_t* out) {
  const size_t words = (planes.lanes + 63) / 64;
  for (size_t r = 0; r < rows.rows; ++r) {
    for (size_t w = 0; w < words; ++w) {
      uint64_t word = 0;
      for (size_t i = 0; i < 64 && 64 * w + i < planes.lanes; ++i) {
        word |= uint64_t{shared(rows, r, planes, 64 * w + i) >= threshold} << i;
      }
      out[r * words + w] = word;
    }
  }
}

}  // namespace snncore::kernels::scalar
