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

// Of a channel; `row_of` gives the row that a tap reads.
template <typename RowOf>
int32_t sum_of_taps(const LutWeights& w, size_t c, const RowOf& row_of) {
  const size_t fours = lut_tables(w.inputs, 4), pitch = fours * kLutChannels * kLutEntries;
  const int8_t* tables =
      w.tables + c / kLutChannels * lut_block_bytes(w.inputs, w.taps, 4) + c % kLutChannels * kLutEntries;
  int32_t sum = 0;
  for (size_t tap = 0; tap < w.taps; ++tap) sum += sum_of(tables + tap * pitch, row_of(tap), fours);
  return sum;
}

}  // namespace

void lut_b1i4_i32(const SpikeRaster& spikes, const LutWeights& w, int32_t* sums, std::byte*) {
  for (size_t p = 0; p < spikes.pixels; ++p) {
    for (size_t c = 0; c < w.channels_padded; ++c) {
      *sums++ =
          sum_of_taps(w, c, [&](size_t tap) { return spikes.rows[spikes.places[p] + spikes.offsets[tap]]; });
    }
  }
}

void lut_b1i4_lanes(const SpikeLanes& spikes, const LutWeights& w, int16_t* lanes, size_t pitch, std::byte*) {
  for (size_t c = 0; c < w.channels; ++c, lanes += pitch) {
    for (size_t i = 0; i < spikes.stretches * spikes.places; ++i) {
      const size_t q = i / spikes.places * spikes.stretch + i % spikes.places;
      lanes[q] = static_cast<int16_t>(sum_of_taps(
          w, c, [&](size_t tap) { return spikes.rows + (q + spikes.offsets[tap]) * spikes.words; }));
    }
  }
}

}  // namespace snncore::kernels::scalar
