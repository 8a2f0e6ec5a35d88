// The integer neuron as docs/format.md writes it, in int64 throughout.
#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

struct Range {
  int64_t lo, hi;
  [[nodiscard]] int64_t clamp(int64_t x) const { return x < lo ? lo : x > hi ? hi : x; }
};
constexpr Range kInt16{INT16_MIN, INT16_MAX};
constexpr Range kInt32{INT32_MIN, INT32_MAX};
constexpr Range kSymmetric8{-127, 127};

int64_t leak(Leak kind, int32_t param, int64_t v) {
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

int64_t current(const LifTile& tile, size_t t, size_t p, size_t c) {
  const size_t cp = tile.channels_padded;
  const int64_t sum = tile.sums[t * tile.sums_t_stride + p * cp + c];
  const int64_t extra = tile.extra == nullptr ? 0 : tile.extra[(t * tile.pixels + p) * cp + c];
  return ((sum * tile.m[c] + tile.c[c]) >> tile.n[c]) + extra;
}

// One step of channel c: `v` is the stored state, before and after.
bool step(const LifTile& tile, int64_t i, size_t c, Range sat, Range store, int64_t& v) {
  const int64_t l = tile.leak_at_store ? v : leak(tile.leak, tile.leak_param, v);
  const int64_t h = sat.clamp(l + sat.clamp(i));
  const bool spike = h >= tile.theta[c];
  if (tile.psi == nullptr) {
    v = spike ? 0 : h;
  } else {
    v = sat.clamp(h - (spike ? tile.psi[c] : 0));
  }
  if (tile.leak_at_store) v = leak(tile.leak, tile.leak_param, v);
  v = store.clamp(v);
  return spike;
}

template <typename State>
void step_lif(const LifTile& tile, Range sat, Range store) {
  const size_t cp = tile.channels_padded;
  auto* state = static_cast<State*>(tile.state);
  for (size_t p = 0; p < tile.pixels; ++p) {
    for (size_t word = 0; word < (tile.channels + 63) / 64; ++word) {
      int64_t v[64] = {};
      const size_t first = word * 64, left = tile.channels - first, count = left < 64 ? left : 64;
      for (size_t i = 0; state != nullptr && i < count; ++i) v[i] = state[p * cp + first + i];
      for (size_t t = 0; t < tile.steps; ++t) {
        uint64_t spikes = 0;
        for (size_t i = 0; i < count; ++i) {
          const size_t c = first + i;
          const bool spike = step(tile, current(tile, t, p, c), c, sat, store, v[i]);
          spikes |= static_cast<uint64_t>(spike) << i;
          if (tile.record != nullptr) {
            tile.record[t * tile.record_t_stride + p * cp + c] = static_cast<int32_t>(v[i]);
          }
        }
        tile.out[t * tile.out_t_stride + p * tile.out_stride + word] = spikes;
      }
      for (size_t i = 0; state != nullptr && i < count; ++i)
        state[p * cp + first + i] = static_cast<State>(v[i]);
    }
  }
}

}  // namespace

void step_lif_i8(const LifTile& tile) { step_lif<int8_t>(tile, kInt16, kSymmetric8); }
void step_lif_i16(const LifTile& tile) { step_lif<int16_t>(tile, kInt16, kInt16); }
void step_lif_i32(const LifTile& tile) { step_lif<int32_t>(tile, kInt32, kInt32); }

}  // namespace snncore::kernels::scalar
