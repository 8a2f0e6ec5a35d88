// Spikes as bytes times weights, in tiles: 16 places of the raster, from a pixel on, are the rows of a tile,
// and 64 bytes of a run its columns. What a tile reads behind its run meets weights of 0, and sums of places
// that are no pixel are left out.
#include "kernels/avx512/spread_word.h"
#include "kernels/avx512_amx/entries.h"
#include "kernels/avx512_amx/tiles.h"

namespace snncore::kernels::avx512_amx {
namespace {

constexpr size_t kWeightRow = 4 * kDenseChannels;

#include "kernels/body/dense_places.inc"

// The sums of the first or the second tile of pixels.
template <bool kSecond>
inline void store_sums(int32_t* to, size_t stride) {
  if constexpr (kSecond) {
    _tile_stored(2, to, stride * sizeof(int32_t));
    _tile_stored(3, to + kDenseChannels, stride * sizeof(int32_t));
  } else {
    _tile_stored(0, to, stride * sizeof(int32_t));
    _tile_stored(1, to + kDenseChannels, stride * sizeof(int32_t));
  }
}

struct Product {
  const SpikeRaster& spikes;
  const DenseWeights& w;
  const uint8_t* image;
  const uint32_t* first;  // of every tile
  int32_t* part;          // a tile of places by kChannelPad channels
  int32_t* sums;

  // Both halves of the channels, for one or two tiles of pixels.
  template <size_t kTiles>
  void multiply(size_t tile, const int8_t* weights) const {
    const size_t pitch = w.inputs, steps = dense_steps(w.inputs, w.run_taps);
    const uint32_t *places = spikes.places, a = places[first[tile]], b = places[first[tile + kTiles - 1]];
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (kTiles == 2) {
      _tile_zero(2);
      _tile_zero(3);
    }
    for (size_t tap = 0; tap < w.taps; tap += w.run_taps) {
      const uint8_t* x = image + (a + spikes.offsets[tap]) * pitch;
      const uint8_t* y = image + (b + spikes.offsets[tap]) * pitch;
      for (size_t i = 0; i < steps; ++i, x += kDenseInputs, y += kDenseInputs, weights += 2 * kDenseTile) {
        _tile_loadd(4, x, pitch);
        _tile_loadd(6, weights, kWeightRow);
        _tile_dpbusd(0, 4, 6);
        _tile_loadd(7, weights + kDenseTile, kWeightRow);
        _tile_dpbusd(1, 4, 7);
        if constexpr (kTiles == 2) {
          _tile_loadd(5, y, pitch);
          _tile_dpbusd(2, 5, 6);
          _tile_dpbusd(3, 5, 7);
        }
      }
    }
  }

  // Whole tiles go where they belong, others through `part`.
  template <bool kSecond>
  void put(size_t tile, size_t channel) const {
    const size_t begin = first[tile], end = first[tile + 1], cp = w.channels_padded;
    int32_t* to = sums + begin * cp + channel;
    if (end - begin == kDensePixels) {
      store_sums<kSecond>(to, cp);
      return;
    }
    store_sums<kSecond>(part, kChannelPad);
    settle();
    for (size_t p = begin; p < end; ++p, to += cp) {
      const int32_t* from = part + (spikes.places[p] - spikes.places[begin]) * kChannelPad;
      store(to, load<I32>(from));
      store(to + kDenseChannels, load<I32>(from + kDenseChannels));
    }
  }
};

}  // namespace

void gemm_b1i8_i32(const SpikeRaster& spikes, const DenseWeights& w, int32_t* sums, std::byte* scratch) {
  auto* const image = reinterpret_cast<uint8_t*>(scratch);
  auto* const part = reinterpret_cast<int32_t*>(scratch + dense_image(spikes.row_count, w.inputs));
  auto* const first = reinterpret_cast<uint32_t*>(part + kDensePixels * kChannelPad);
  spread(spikes, w.inputs, image);
  const size_t tiles = cut(spikes, first);
  const size_t block = dense_bytes(w.inputs, w.taps, w.run_taps, kChannelPad);
  const Product product{spikes, w, image, first, part, sums};
  const Tiles registers{TileShapes()};
  const int8_t* weights = w.weights;
  for (size_t c = 0; c < w.channels_padded; c += kChannelPad, weights += block) {
    size_t tile = 0;
    for (; tile + 2 <= tiles; tile += 2) {
      product.multiply<2>(tile, weights);
      product.put<false>(tile, c);
      product.put<true>(tile + 1, c);
    }
    if (tile == tiles) continue;
    product.multiply<1>(tile, weights);
    product.put<false>(tile, c);
  }
}

}  // namespace snncore::kernels::avx512_amx
