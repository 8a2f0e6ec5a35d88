// The tile registers: eight tiles of up to 16 rows of up to 64 bytes. The compiler keeps plain loads and
// stores on their side of `settle`, since the intrinsics do not say what memory they touch.
#pragma once

#include "kernels/avx512/simd.h"

namespace snncore::kernels::avx512_amx {
namespace {

inline void settle() { __asm__ volatile("" ::: "memory"); }

/// What a tile is, as ldtilecfg reads it.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};

  void set(size_t tile, size_t tile_rows, size_t bytes) {
    rows[tile] = static_cast<uint8_t>(tile_rows);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
};

/// The registers are this thread's, as long as it lives.
class Tiles {
 public:
  explicit Tiles(const TileShapes& shapes) {
    settle();
    _tile_loadconfig(&shapes);
  }
  ~Tiles() { _tile_release(); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

}  // namespace
}  // namespace snncore::kernels::avx512_amx
