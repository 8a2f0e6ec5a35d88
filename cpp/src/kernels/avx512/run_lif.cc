#include "kernels/avx512/simd.h"

#include "kernels/avx512/entries.h"

namespace snncore::kernels::avx512 {
namespace {
inline constexpr size_t kRunBlocks = 2;
#include "kernels/body/spikes.inc"

// In the order of memory, which is not the order of `narrow`.
inline I16 load_currents(const int16_t* from) { return load<I16>(from); }
inline I16 load_currents(const int8_t* from) { return as16(load_bytes(from)); }
inline I16 load_currents(const int32_t* from) {
  return as16(in_order(raw(narrow(load<I32>(from), load<I32>(from + kLanes32)))));
}
inline uint32_t bits_in_order(const Mask16 (&masks)[kBlock16]) { return masks[0].lanes; }

#include "kernels/body/step_16.inc"
#include "kernels/body/step_32.inc"
#include "kernels/body/step_rows.inc"
}  // namespace

void run_lif_i16(const LifRows& rows, const LifNeuron& neuron) { run_narrow(rows, neuron); }
void run_lif_i32(const LifRows& rows, const LifNeuron& neuron) { run_wide(rows, neuron); }

}  // namespace snncore::kernels::avx512
