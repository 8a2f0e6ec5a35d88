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
  at.pixels = align_up(read_pixels() * sizeof(uint32_t));
  at.rows = at.pixels + align_up(most_rows(pixels, 1) * sizeof(uint32_t));
  at.index = at.rows + align_up(most_rows(pixels, steps) * sizeof(uint64_t*));
  at.copies = at.index + align_up(pixels * steps * shape_.window.taps() * sizeof(uint32_t));
  at.end = at.copies + rows_.copy_bytes(most_rows(pixels, steps));
  return at;
}

kernels::SpikeTile SpikeRows::read(const Frame& frame, const Tile& tile, size_t g, std::byte* memory,
                                   std::span<const uint32_t> only) const noexcept {
  const Places at = places(tile.count, tile.steps);
  const Lists lists{
      reinterpret_cast<const uint64_t**>(memory + at.rows), reinterpret_cast<uint64_t*>(memory + at.copies),
      reinterpret_cast<uint32_t*>(memory + at.index), reinterpret_cast<uint32_t*>(memory + at.numbers),
      reinterpret_cast<uint32_t*>(memory + at.pixels)};
  const bool whole = only.empty() && reads_part(tile);
  const size_t rows = whole ? list_part(frame, tile, g, lists) : list_numbered(frame, tile, g, only, lists);
  const size_t wanted = only.empty() ? tile.count : only.size();
  repeat_index(lists.index, wanted * shape_.window.taps(), tile.steps, rows / tile.steps);
  return {lists.rows, rows, lists.index, wanted * tile.steps};
}

size_t SpikeRows::list_part(const Frame& frame, const Tile& tile, size_t g,
                            const Lists& lists) const noexcept {
  const Part image = part(tile);
  const auto lines = static_cast<size_t>(image.window.in_h), width = static_cast<size_t>(image.window.in_w);
  const auto number = [](int64_t pixel) { return static_cast<uint32_t>(pixel + 1); };
  uint32_t* index = lists.index;
  for (size_t i = 0; i < tile.count; ++i) index = number_taps(image.window, i, number, index);
  size_t r = 0;
  for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
    lists.rows[r++] = rows_.zeros();
    for (size_t line = 0; line < lines; ++line, r += width) {
      const auto first = (image.y + static_cast<int64_t>(line)) * shape_.window.in_w + image.x;
      rows_.read(frame, t, tile.n, static_cast<size_t>(first), width, g, lists.rows + r, lists.copies, r);
    }
  }
  return r;
}

size_t SpikeRows::list_numbered(const Frame& frame, const Tile& tile, size_t g,
                                std::span<const uint32_t> only, const Lists& lists) const noexcept {
  const size_t count = number_rows(tile, only, lists);
  size_t r = 0;
  for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
    lists.rows[r++] = rows_.zeros();
    for (size_t i = 0; i < count; ++i, ++r)
      lists.rows[r] = rows_.row(frame, t, tile.n, lists.pixels[i], g, lists.copies, r);
  }
  return r;
}

size_t SpikeRows::number_rows(const Tile& tile, std::span<const uint32_t> only,
                              const Lists& lists) const noexcept {
  const auto [low, high] = reach(shape_.window, tile);
  Numbers all(lists.numbers, lists.pixels, low, high);
  const auto number = [&all](int64_t pixel) { return all.number(pixel); };
  uint32_t* index = lists.index;
  for (size_t i = 0, end = only.empty() ? tile.count : only.size(); i < end; ++i) {
    index = number_taps(shape_.window, tile.first + (only.empty() ? i : only[i]), number, index);
  }
  return all.count();
}

// Windows without gaps, over a run of pixels of a line or over whole lines.
bool SpikeRows::reads_part(const Tile& tile) const noexcept {
  const Window& w = shape_.window;
  const auto width = static_cast<size_t>(w.out_w);
  const bool within = tile.first % width + tile.count <= width;
  return w.stride_h <= w.kernel_h && w.stride_w <= w.kernel_w && w.dilation_h == 1 && w.dilation_w == 1 &&
         (within || (tile.first % width == 0 && tile.count % width == 0));
}

SpikeRows::Part SpikeRows::part(const Tile& tile) const noexcept {
  Part p{shape_.window, 0, 0};
  Window& w = p.window;
  const auto first = static_cast<int64_t>(tile.first), count = static_cast<int64_t>(tile.count);
  const int64_t top = first / w.out_w * w.stride_h - w.pad_top;
  const int64_t left = first % w.out_w * w.stride_w - w.pad_left;
  w.out_h = (count + w.out_w - 1) / w.out_w;
  w.out_w = std::min(count, w.out_w);
  p.y = std::max<int64_t>(top, 0);
  p.x = std::max<int64_t>(left, 0);
  const int64_t bottom = std::min(top + (w.out_h - 1) * w.stride_h + w.kernel_h, w.in_h);
  const int64_t right = std::min(left + (w.out_w - 1) * w.stride_w + w.kernel_w, w.in_w);
  w.in_h = std::max<int64_t>(bottom - p.y, 0);
  w.in_w = std::max<int64_t>(right - p.x, 0);
  w.pad_top = p.y - top;
  w.pad_left = p.x - left;
  return p;
}

void SpikeRows::repeat_index(uint32_t* index, size_t entries, size_t steps, size_t rows) noexcept {
  for (size_t t = 1; t < steps; ++t) {
    const auto shift = static_cast<uint32_t>(t * rows);
    for (size_t i = 0; i < entries; ++i) index[t * entries + i] = index[i] + shift;
  }
}

template <typename Number>
uint32_t* SpikeRows::number_taps(const Window& w, size_t p, const Number& number, uint32_t* index) noexcept {
  const int64_t inside = w.first_if_inside(p);
  if (inside < 0) {
    w.for_taps(p, [&](size_t, int64_t pixel) noexcept { *index++ = pixel < 0 ? 0 : number(pixel); });
    return index;
  }
  for (int64_t ky = 0, line = inside; ky < w.kernel_h; ++ky, line += w.dilation_h * w.in_w) {
    for (int64_t kx = 0; kx < w.kernel_w; ++kx) *index++ = number(line + kx * w.dilation_w);
  }
  return index;
}

}  // namespace snncore::runtime
