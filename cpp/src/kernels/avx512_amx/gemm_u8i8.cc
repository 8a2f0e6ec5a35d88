// Bytes times codes in tiles: 16 pixels, 16 groups of four inputs, 32 channels. What is left of the pixels
// and of the inputs has smaller tiles.
#include "kernels/avx512_amx/entries.h"
#include "kernels/avx512_amx/tiles.h"

namespace snncore::kernels::avx512_amx {
namespace {

constexpr size_t kTilePixels = 16, kTileGroups = 16;

// Tiles 0 and 1 are sums, 2 the inputs and 3 and 4 the codes; 5 to 7 those of the last groups.
TileShapes shapes(size_t pixels, size_t groups) {
  TileShapes s;
  for (size_t tile = 0; tile < 3; ++tile) s.set(tile, pixels, 64);
  if (groups == 0) return s;
  s.set(5, pixels, 4 * groups);
  s.set(6, groups, 64);
  s.set(7, groups, 64);
  return s;
}

// Of one tile of pixels and 32 channels from `c` on.
void multiply(const uint8_t* x, const ByteWeights& w, size_t c, int32_t* sums) {
  const size_t pitch = 4 * w.k4, row = 4 * w.channels_padded;
  const int8_t* codes = w.codes + 4 * c;
  size_t j = 0;
  _tile_zero(0);
  _tile_zero(1);
  for (; j + kTileGroups <= w.k4; j += kTileGroups) {
    _tile_loadd(2, x + 4 * j, pitch);
    _tile_loadd(3, codes + j * row, row);
    _tile_dpbusd(0, 2, 3);
    _tile_loadd(4, codes + j * row + kVectorBytes, row);
    _tile_dpbusd(1, 2, 4);
  }
  if (j < w.k4) {
    _tile_loadd(5, x + 4 * j, pitch);
    _tile_loadd(6, codes + j * row, row);
    _tile_dpbusd(0, 5, 6);
    _tile_loadd(7, codes + j * row + kVectorBytes, row);
    _tile_dpbusd(1, 5, 7);
  }
  _tile_stored(0, sums + c, row);
  _tile_stored(1, sums + c + kLanes32, row);
}

int32_t total(const uint8_t* x, size_t k4) {
  int32_t sum = 0;
  for (size_t i = 0; i < 4 * k4; ++i) sum += x[i];
  return sum;
}

// Products become sums.
template <bool kOdd>
void finish(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  for (size_t p = 0; p < pixels; ++p, x += 4 * w.k4, sums += w.channels_padded) {
    const I32 all = splat32(kOdd ? total(x, w.k4) : 0);
    for (size_t c = 0; c < w.channels_padded; c += kLanes32) {
      const I32 product = load<I32>(sums + c);
      store(sums + c, (kOdd ? product + product + all : product) + load<I32>(w.init + c));
    }
  }
}

// Tiles of `rows` pixels each.
void multiply_tiles(const uint8_t* x, size_t pixels, size_t rows, const ByteWeights& w, int32_t* sums) {
  const Tiles registers{shapes(rows, w.k4 % kTileGroups)};
  for (size_t c = 0; c < w.channels_padded; c += kChannelPad) {
    for (size_t p = 0; p < pixels; p += rows) multiply(x + p * 4 * w.k4, w, c, sums + p * w.channels_padded);
  }
}

}  // namespace

void gemm_u8i8_i32(const uint8_t* x, size_t pixels, const ByteWeights& w, int32_t* sums) {
  const size_t whole = pixels / kTilePixels * kTilePixels, rest = pixels - whole;
  if (whole > 0) multiply_tiles(x, whole, kTilePixels, w, sums);
  if (rest > 0) multiply_tiles(x + whole * 4 * w.k4, rest, rest, w, sums + whole * w.channels_padded);
  settle();
  if (w.odd) {
    finish<true>(x, pixels, w, sums);
  } else {
    finish<false>(x, pixels, w, sums);
  }
}

}  // namespace snncore::kernels::avx512_amx
