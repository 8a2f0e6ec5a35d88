#include "kernels/lut_codes.h"

#include <algorithm>

namespace snncore::kernels {
namespace {

// The least and the most that a sum can be, whatever fires.
struct Range {
  int32_t down = 0, up = 0;

  void add(int32_t weight) noexcept { (weight < 0 ? down : up) += weight; }
  [[nodiscard]] Range operator+(const Range& o) const noexcept { return {down + o.down, up + o.up}; }
  [[nodiscard]] bool fits_byte() const noexcept { return down >= -128 && up <= 127; }
};

// Some inputs of a tap, from the first on.
Range range_of(const int8_t* weights, size_t count) noexcept {
  Range range;
  for (size_t i = 0; i < count; ++i) range.add(weights[i]);
  return range;
}

// The sums of `count` of `width` weights; what is not there is zero.
void fill_sums(const int8_t* weights, size_t count, size_t width, int8_t* sums) noexcept {
  for (size_t spikes = 1; spikes < size_t{1} << width; ++spikes) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (spikes >> i & 1) != 0 ? weights[i] : 0;
    sums[spikes] = static_cast<int8_t>(sum);
  }
}

void fill_table(const int8_t* weights, size_t count, size_t width, int8_t* table) noexcept {
  if (width == 4) return fill_sums(weights, count, 4, table);
  const size_t half = width / 2, first = std::min(count, half);
  fill_sums(weights, first, half, table);
  fill_sums(weights + first, count - first, half, table + kLutEntries / 2);
}

// Calls f(first, count) for the inputs of each table of a tap.
template <typename F>
void for_tables(size_t inputs, size_t width, F&& f) {
  for (size_t word = 0; word < inputs; word += 64) {
    const size_t end = std::min(inputs, word + 64);
    for (size_t i = word; i < end; i += width) f(i, std::min(width, end - i));
  }
}

// Adds the runs of a block: each as long as no channel could leave a byte.
class Runs {
 public:
  explicit Runs(std::vector<uint16_t>& runs) : runs_(runs) { runs_.push_back(0); }

  void add(const Range (&next)[kLutChannels]) {
    const auto fits = [&] {
      for (size_t c = 0; c < kLutChannels; ++c) {
        if (!(ranges_[c] + next[c]).fits_byte()) return false;
      }
      return runs_.back() < UINT16_MAX;
    };
    if (!fits()) {
      runs_.push_back(0);
      std::fill(ranges_, ranges_ + kLutChannels, Range{});
    }
    ++runs_.back();
    for (size_t c = 0; c < kLutChannels; ++c) ranges_[c] = ranges_[c] + next[c];
  }

 private:
  std::vector<uint16_t>& runs_;
  Range ranges_[kLutChannels];
};

}  // namespace

bool fits_lut(const int8_t* weights, size_t channels, size_t taps, size_t inputs, size_t width) noexcept {
  bool fits = true;
  for (size_t row = 0; row < channels * taps; ++row, weights += inputs) {
    for_tables(inputs, width,
               [&](size_t i, size_t count) { fits = fits && range_of(weights + i, count).fits_byte(); });
  }
  return fits;
}

LutCodes lut_codes(const int8_t* weights, size_t channels, size_t taps, size_t inputs, size_t width) {
  const size_t blocks = pad_channels(channels) / kLutChannels, row = taps * inputs;
  LutCodes out{.tables = std::vector<int8_t>(blocks * lut_block_bytes(inputs, taps, width)),
               .inputs = inputs,
               .taps = taps,
               .width = width,
               .channels = channels,
               .channels_padded = pad_channels(channels)};
  int8_t* to = out.tables.data();
  for (size_t block = 0; block < blocks; ++block) {
    out.starts.push_back(static_cast<uint32_t>(out.runs.size()));
    Runs runs(out.runs);
    for (size_t tap = 0; tap < taps; ++tap) {
      for_tables(inputs, width, [&](size_t i, size_t count) {
        Range ranges[kLutChannels];
        for (size_t c = 0; c < kLutChannels; ++c, to += kLutEntries) {
          if (block * kLutChannels + c >= channels) continue;
          const int8_t* from = weights + (block * kLutChannels + c) * row + tap * inputs + i;
          ranges[c] = range_of(from, count);
          fill_table(from, count, width, to);
        }
        runs.add(ranges);
      });
    }
  }
  out.starts.push_back(static_cast<uint32_t>(out.runs.size()));
  out.runs.shrink_to_fit();
  out.starts.shrink_to_fit();
  return out;
}

}  // namespace snncore::kernels
