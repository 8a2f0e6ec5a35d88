#include "kernels/scalar/entries.h"
#include "kernels/scalar/lif.h"

namespace snncore::kernels::scalar {
namespace {

int64_t current(const LifRows& rows, size_t at) {
  switch (rows.type) {
    case CurrentType::kI8:
      return static_cast<const int8_t*>(rows.currents)[at];
    case CurrentType::kI16:
      return static_cast<const int16_t*>(rows.currents)[at];
    case CurrentType::kI32:
      return static_cast<const int32_t*>(rows.currents)[at];
  }
  return 0;
}

// `Constant`: the type of theta and psi.
template <typename Constant>
void run_lif(const LifRows& rows, const LifNeuron& neuron, Range sat, Range store) {
  const auto* thetas = static_cast<const Constant*>(neuron.theta);
  const auto* psis = static_cast<const Constant*>(neuron.psi);
  for (size_t r = 0; r < rows.rows; ++r) {
    for (size_t first = 0; first < rows.lanes; first += 64) {
      int64_t v[64] = {};
      const size_t left = rows.lanes - first, count = left < 64 ? left : 64;
      for (size_t t = 0; t < rows.steps; ++t) {
        uint64_t spikes = 0;
        for (size_t i = 0; i < count; ++i) {
          const size_t place = r * rows.row_stride + first + i;
          const size_t k = neuron.by_row ? r : first + i;
          const int64_t psi = psis == nullptr ? -1 : psis[k];
          const bool spike =
              step(neuron, current(rows, t * rows.t_stride + place), thetas[k], psi, sat, store, v[i]);
          spikes |= static_cast<uint64_t>(spike) << i;
          if (rows.record != nullptr) {
            rows.record[t * rows.record_t_stride + place] = static_cast<int32_t>(v[i]);
          }
        }
        rows.out[t * rows.out_t_stride + r * rows.out_stride + first / 64] = spikes;
      }
    }
  }
}

}  // namespace

void run_lif_i16(const LifRows& rows, const LifNeuron& neuron) {
  run_lif<int16_t>(rows, neuron, kInt16, neuron.clamp_i8 ? kSymmetric8 : kInt16);
}
void run_lif_i32(const LifRows& rows, const LifNeuron& neuron) {
  run_lif<int32_t>(rows, neuron, kInt32, kInt32);
}

}  // namespace snncore::kernels::scalar
