#include "runtime/spike_rows.h"

namespace snncore::runtime {

// Hands out numbers to the rows that a tile reads, from 1 on, in the order of the first use.
class SpikeRows::Numbers {
 public:
  /// `numbers` has an element for every input pixel; those from `low` to `high` are cleared.
  Numbers(uint32_t* numbers, uint32_t* pixels, int64_t low, int64_t high) noexcept
      : numbers_(numbers), pixels_(pixels) {
    std::fill(numbers + low, numbers + high + 1, 0);
  }
  uint32_t number(int64_t pixel) noexcept {
    uint32_t& n = numbers_[pixel];
    if (n == 0) {
      pixels_[count_] = static_cast<uint32_t>(pixel);
      n = ++count_;
    }
    return n;
  }
  [[nodiscard]] uint32_t count() const noexcept { return count_; }

 private:
  uint32_t *numbers_, *pixels_, count_ = 0;
};

SpikeRows::Places SpikeRows::places(size_t pixels, size_t steps) const noexcept {
  Places at{};
  at.pixels = align_up(input_.pixels * sizeof(uint32_t));
  at.rows = at.pixels + align_up(most_rows(pixels, 1) * sizeof(uint32_t));
  at.index = at.rows + align_up(most_rows(pixels, steps) * sizeof(uint64_t*));
  at.copies = at.index + align_up(pixels * steps * shape_.window.taps() * sizeof(uint32_t));
  at.end = at.copies + rows_.copy_bytes(most_rows(pixels, steps));
  return at;
}

kernels::SpikeTile SpikeRows::read(const Frame& frame, const Tile& tile, size_t g, std::byte* memory,
                                   std::span<const uint32_t> only) const noexcept {
  const Places at = places(tile.count, tile.steps);
  const auto [low, high] = reach(shape_.window, tile);
  auto* pixels = reinterpret_cast<uint32_t*>(memory + at.pixels);
  auto* index = reinterpret_cast<uint32_t*>(memory + at.index);
  const bool run = only.empty() && reads_run(tile);
  const size_t wanted = only.empty() ? tile.count : only.size();
  size_t count = static_cast<size_t>(high - low + 1);
  auto* next = index;
  if (run) {
    const auto number = [first = low](int64_t pixel) { return static_cast<uint32_t>(pixel - first + 1); };
    for (size_t i = 0; i < wanted; ++i) next = number_taps(tile.first + i, number, next);
  } else {
    Numbers numbers(reinterpret_cast<uint32_t*>(memory + at.numbers), pixels, low, high);
    const auto number = [&](int64_t pixel) { return numbers.number(pixel); };
    for (size_t i = 0; i < wanted; ++i)
      next = number_taps(tile.first + (only.empty() ? i : only[i]), number, next);
    count = numbers.count();
  }
  repeat_index(index, wanted * shape_.window.taps(), tile.steps, count + 1);
  auto** rows = reinterpret_cast<const uint64_t**>(memory + at.rows);
  auto* copies = reinterpret_cast<uint64_t*>(memory + at.copies);
  size_t r = 0;
  for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
    rows[r++] = rows_.zeros();
    if (run) {
      rows_.read(frame, {t, tile.n, static_cast<size_t>(low), 1, count}, g, rows + r, copies, r);
      r += count;
    } else {
      for (size_t i = 0; i < count; ++i, ++r) rows[r] = rows_.row(frame, t, tile.n, pixels[i], g, copies, r);
    }
  }
  return {rows, r, index, wanted * tile.steps};
}

bool SpikeRows::reads_run(const Tile& tile) const noexcept {
  const Window& w = shape_.window;
  const auto width = static_cast<size_t>(w.out_w);
  return w.stride_h == 1 && w.stride_w == 1 && w.dilation_h == 1 && w.dilation_w == 1 &&
         tile.first % width == 0 && tile.count % width == 0;
}

void SpikeRows::repeat_index(uint32_t* index, size_t entries, size_t steps, size_t rows) noexcept {
  for (size_t t = 1; t < steps; ++t) {
    const auto shift = static_cast<uint32_t>(t * rows);
    for (size_t i = 0; i < entries; ++i) index[t * entries + i] = index[i] + shift;
  }
}

template <typename Number>
uint32_t* SpikeRows::number_taps(size_t p, const Number& number, uint32_t* index) const noexcept {
  const Window& w = shape_.window;
  if (const int64_t inside = w.first_if_inside(p); inside >= 0) {
    for (const int64_t offset : offsets_) *index++ = number(inside + offset);
  } else {
    w.for_taps(p, [&](size_t, int64_t pixel) noexcept { *index++ = pixel < 0 ? 0 : number(pixel); });
  }
  return index;
}

}  // namespace snncore::runtime
