// One step of the integer neuron as docs/format.md writes it, in int64.
#pragma once

#include "kernels/neurons.h"

namespace snncore::kernels::scalar {
namespace {

struct Range {
  int64_t lo, hi;
  [[nodiscard]] int64_t clamp(int64_t x) const { return x < lo ? lo : x > hi ? hi : x; }
};
inline constexpr Range kInt16{INT16_MIN, INT16_MAX};
inline constexpr Range kInt32{INT32_MIN, INT32_MAX};
inline constexpr Range kSymmetric8{-127, 127};

inline int64_t leak(Leak kind, int32_t param, int64_t v) {
  switch (kind) {
    case Leak::kNone:
      return v;
    case Leak::kQ15:
      return (v * param + (1 << 14)) >> 15;
    case Leak::kHalfFloor:
      return v >> 1;
    case Leak::kShift:
      return v - (v >> param);
    case Leak::kTz12:
      return v < 0 ? -((-v * param) >> 12) : (v * param) >> 12;
  }
  return v;
}

// What a neuron of a tile gets at step t, requantised.
inline int64_t current(const LifTile& tile, size_t t, size_t p, size_t c) {
  const size_t cp = tile.channels_padded;
  const int64_t sum = tile.sums[t * tile.sums_t_stride + p * cp + c];
  const int64_t extra = tile.extra == nullptr ? 0 : tile.extra[(t * tile.pixels + p) * cp + c];
  return ((sum * tile.m[c] + tile.c[c]) >> tile.n[c]) + extra;
}

// `v` is the stored state, before and after; psi -1: reset to zero. A `Neuron` says how and when to leak.
template <typename Neuron>
bool step(const Neuron& neuron, int64_t i, int64_t theta, int64_t psi, Range sat, Range store, int64_t& v) {
  const int64_t l = neuron.leak_at_store ? v : leak(neuron.leak, neuron.leak_param, v);
  const int64_t h = sat.clamp(l + sat.clamp(i));
  const bool spike = h >= theta;
  if (psi < 0) {
    v = spike ? 0 : h;
  } else {
    v = sat.clamp(h - (spike ? psi : 0));
  }
  if (neuron.leak_at_store) v = leak(neuron.leak, neuron.leak_param, v);
  v = store.clamp(v);
  return spike;
}

}  // namespace
}  // namespace snncore::kernels::scalar
