#include "kernels/scalar/entries.h"

namespace snncore::kernels::scalar {
namespace {

// Of the tables of a channel, one after another: those of a tap, with the spikes of a row.
int32_t sum_of(const int8_t* tables, const uint64_t* row, size_t fours) {
  int32_t sum = 0;
  for (size_t i = 0; i < fours; ++i, tables += kLutChannels * kLutEntries)
    sum += tables[row[i / 16] >> (i % 16 * 4) & 15];
  return sum;
}

// Of a channel and a place.
int32_t sum_at(const SpikeRaster& spikes, const LutWeights& w, size_t c, size_t place) {
  const size_t fours = lut_tables(w.inputs, 4), pitch = fours * kLutChannels * kLutEntries;
  const int8_t* tables =
      w.tables + c / kLutChannels * lut_block_bytes(w.inputs, w.taps, 4) + c % kLutChannels * kLutEntries;
  int32_t sum = 0;
  for (size_t tap = 0; tap < w.taps; ++tap)
    sum += sum_of(tables + tap * pitch, spikes.rows[place + spikes.offsets[tap]], fours);
  return sum;
}

}  // namespace

void lut_b1i4_i32(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte*) {
  for (size_t p = 0; p < spikes.pixels; ++p) {
    for (size_t c = 0; c < w.channels_padded; ++c) *sums++ = sum_at(spikes, w, c, spikes.places[p]);
  }
}

void lut_b1i4_lanes(const SpikeRaster& spikes, const LutWeights& w, int32_t* lanes, size_t pitch,
                    std::byte*) {
  for (size_t c = 0; c < w.channels; ++c, lanes += pitch) {
    for (size_t p = 0; p < spikes.pixels; ++p)
      lanes[spikes.places[p]] = sum_at(spikes, w, c, spikes.places[p]);
  }
}

}  // namespace snncore::kernels::scalar
