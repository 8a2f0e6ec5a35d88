#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

#include "kernels/body/pack_b1.inc"

struct Bytes {
  static uint64_t word(const uint8_t* from) { return bits_of(from, 64); }
  static uint64_t part(const uint8_t* from, size_t count) { return bits_of(from, count); }
};
struct Floats {
  static uint64_t word(const float* from) { return bits_of(from, 64); }
  static uint64_t part(const float* from, size_t count) { return bits_of(from, count); }
};

}  // namespace

void pack_u8_b1(const uint8_t* from, size_t count, uint64_t* to) { pack_elements<Bytes>(from, count, to); }
void pack_f32_b1(const float* from, size_t count, uint64_t* to) { pack_elements<Floats>(from, count, to); }

}  // namespace snncore::kernels::scalar
