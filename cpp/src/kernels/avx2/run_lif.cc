#include "kernels/avx2/simd.h"

#include "kernels/avx2/entries.h"

namespace snncore::kernels::avx2 {
namespace {
inline constexpr size_t kRunBlocks = 2;
#include "kernels/body/spikes.inc"

// In the order of memory, which is not the order of `narrow`.
inline I16 load_currents(const int16_t* from) { return load<I16>(from); }
inline I16 load_currents(const int8_t* from) {
  return as16(_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
inline I16 load_currents(const int32_t* from) {
  return as16(swap_middle(raw(narrow(load<I32>(from), load<I32>(from + kLanes32)))));
}
inline uint32_t bits_in_order(const I16 (&masks)[kBlock16]) {
  const __m256i bytes = swap_middle(_mm256_packs_epi16(raw(masks[0]), raw(masks[1])));
  return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
}
inline void widen_in_order(I16 v, I32& a, I32& b) {
  a = as32(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(raw(v))));
  b = as32(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(raw(v), 1)));
}

#include "kernels/body/step_16.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_rows.inc"
}  // namespace

void run_lif_i16(const LifRows& rows, const LifNeuron& neuron) { run_narrow(rows, neuron); }
void run_lif_i32(const LifRows& rows, const LifNeuron& neuron) { run_wide(rows, neuron); }

}  // namespace snncore::kernels::avx2
