// Spikes into the gather kernels: the rows that a tile reads, each once, and which of them every tap reads.
#include <span>

#include "base/bits.h"
#include "runtime/raster.h"
#include "runtime/synapse_base.h"
#include "runtime/touched.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// Copies the `count` bits from `first` on to the start of `out`.
void extract_bits(const uint64_t* row, size_t first, size_t count, uint64_t* out) noexcept {
  const size_t word = first / 64, shift = first % 64, words = words_for(count);
  const size_t last = (first + count - 1) / 64;
  for (size_t i = 0; i < words; ++i) {
    uint64_t v = row[word + i] >> shift;
    if (shift != 0 && word + i + 1 <= last) v |= row[word + i + 1] << (64 - shift);
    out[i] = v;
  }
  out[words - 1] &= tail_mask(count);
}

// Hands out numbers to the rows that a tile reads, from 1 on, in the order of the first use.
class RowNumbers {
 public:
  /// `numbers` has an element for every input pixel; those from `low` to `high` are cleared.
  RowNumbers(uint32_t* numbers, uint32_t* pixels, int64_t low, int64_t high) noexcept
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

template <typename T>
class SpikeSynapse final : public SynapseBase {
 public:
  SpikeSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
               bool odd)
      : SynapseBase(shape, input, std::move(weights)),
        odd_(odd),
        zeros_(words_for(shape.inputs) * 8),
        offsets_(shape.window.tap_offsets()) {}

  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t steps) const noexcept override {
    const size_t gathered = places(pixels, steps).end +
                            kernels::addrows_scratch(most_rows(pixels, steps), shape_.inputs, pixels * steps);
    return weights_->sparse.empty() ? gathered : std::max(gathered, raster_bytes(pixels, steps));
  }

  // Many pixels for the lanes of the sparse kernel.
  [[nodiscard]] size_t good_tile() const noexcept override {
    return weights_->sparse.empty() ? SynapseBase::good_tile() : 256;
  }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    T* part = reinterpret_cast<T*>(lane);
    if constexpr (std::is_same_v<T, int32_t>) {
      if (few_sums(frame, tile, static_cast<T*>(out), lane)) return;
      if (!weights_->sparse.empty() && sparse_is_faster(frame, tile)) {
        for_groups(shape_, tile.count * tile.steps, static_cast<T*>(out), part,
                   [&](size_t g, T* to) noexcept { sparse_sums(frame, tile, g, to, lane); });
        return;
      }
    }
    const Places at = places(tile.count, tile.steps);
    for_groups(shape_, tile.count * tile.steps, static_cast<T*>(out), part, [&](size_t g, T* to) noexcept {
      apply(gather(frame, tile, g, lane, at), g, to, lane + at.end);
    });
  }

 private:
  // Offsets in the lane, behind the sums of a group.
  struct Places {
    size_t numbers, pixels, rows, index, copies, list, marks, end;
  };

  [[nodiscard]] size_t row_words() const noexcept { return words_for(shape_.inputs); }
  // A group that does not start on a word is copied to one.
  [[nodiscard]] bool copied() const noexcept { return shape_.groups > 1 && shape_.inputs % 64 != 0; }
  // One more for the padding.
  [[nodiscard]] size_t most_rows(size_t pixels, size_t steps) const noexcept {
    return steps * std::min(pixels * shape_.window.taps(), input_.pixels) + 1;
  }

  [[nodiscard]] Places places(size_t pixels, size_t steps) const noexcept {
    Places at{};
    at.numbers = part_bytes(pixels * steps);
    at.pixels = at.numbers + align_up(input_.pixels * sizeof(uint32_t));
    at.rows = at.pixels + align_up(most_rows(pixels, 1) * sizeof(uint32_t));
    at.index = at.rows + align_up(most_rows(pixels, steps) * sizeof(uint64_t*));
    at.copies = at.index + align_up(pixels * steps * shape_.window.taps() * sizeof(uint32_t));
    at.list = at.copies + (copied() ? align_up(most_rows(pixels, steps) * row_words() * 8) : 0);
    at.marks = at.list + align_up(pixels * sizeof(uint32_t));
    at.end = at.marks + align_up(pixels);
    return at;
  }

  // The input pixels that a tile can read lie between the first tap of its first and the last of its last
  // row.
  [[nodiscard]] std::pair<int64_t, int64_t> reach(const Tile& tile) const noexcept {
    const Window& w = shape_.window;
    const int64_t first = static_cast<int64_t>(tile.first) / w.out_w * w.stride_h - w.pad_top;
    const int64_t last = static_cast<int64_t>(tile.first + tile.count - 1) / w.out_w * w.stride_h -
                         w.pad_top + (w.kernel_h - 1) * w.dilation_h;
    return {std::clamp<int64_t>(first, 0, w.in_h - 1) * w.in_w,
            (std::clamp<int64_t>(last, 0, w.in_h - 1) + 1) * w.in_w - 1};
  }

  // Where few pixels read a spike, only those are computed; false where they are too many.
  [[nodiscard]] bool few_sums(const Frame& frame, const Tile& tile, T* out, std::byte* lane) const noexcept {
    const auto [low, high] = reach(tile);
    if (silent(frame, tile, low, high)) {
      std::fill_n(out, tile.count * tile.steps * shape_.padded(), T{});
      return true;
    }
    if (tile.steps > 1 || shape_.groups > 1 || tile.count == 1) return false;
    const Places at = places(tile.count, 1);
    auto* list = reinterpret_cast<uint32_t*>(lane + at.list);
    auto* marks = reinterpret_cast<uint8_t*>(lane + at.marks);
    const size_t count =
        touched_pixels(shape_.window, input_, frame, tile, low, high, tile.count / 8 + 1, marks, list);
    if (2 * count > tile.count) return false;
    if (count > 0) apply(gather(frame, tile, 0, lane, at, {list, count}), 0, out, lane + at.end);
    spread_rows(list, count, tile.count, shape_.padded(), out);
    return true;
  }

  // Has the tile no spike to read? Among many spikes the first one ends the search.
  [[nodiscard]] bool silent(const Frame& frame, const Tile& tile, int64_t low, int64_t high) const noexcept {
    const size_t words = static_cast<size_t>(high - low + 1) * input_.row_bytes / 8;
    for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
      const auto* first = input_.row<uint64_t>(frame, t, tile.n, static_cast<size_t>(low));
      if (std::any_of(first, first + words, [](uint64_t word) { return word != 0; })) return false;
    }
    return true;
  }

  // Row 0 is padding; the rows of a step follow those of the step before, in the same order. With `only`,
  // these pixels of the tile.
  [[nodiscard]] kernels::SpikeTile gather(const Frame& frame, const Tile& tile, size_t g, std::byte* lane,
                                          const Places& at,
                                          std::span<const uint32_t> only = {}) const noexcept {
    const auto [low, high] = reach(tile);
    const auto* pixels = reinterpret_cast<const uint32_t*>(lane + at.pixels);
    RowNumbers numbers(reinterpret_cast<uint32_t*>(lane + at.numbers),
                       reinterpret_cast<uint32_t*>(lane + at.pixels), low, high);
    auto* index = reinterpret_cast<uint32_t*>(lane + at.index);
    const size_t wanted = only.empty() ? tile.count : only.size();
    for (size_t i = 0; i < wanted; ++i) {
      index = number_taps(tile.first + (only.empty() ? i : only[i]), numbers, index);
    }
    index = reinterpret_cast<uint32_t*>(lane + at.index);
    const size_t count = numbers.count(), entries = wanted * shape_.window.taps();
    for (size_t t = 1; t < tile.steps; ++t) {
      const auto shift = static_cast<uint32_t>(t * count);
      for (size_t i = 0; i < entries; ++i) index[t * entries + i] = index[i] == 0 ? 0 : index[i] + shift;
    }
    auto** rows = reinterpret_cast<const uint64_t**>(lane + at.rows);
    auto* copies = reinterpret_cast<uint64_t*>(lane + at.copies);
    *rows = zeros_.as<uint64_t>();
    size_t r = 1;
    for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
      for (size_t i = 0; i < count; ++i, ++r) {
        rows[r] = group_row(input_.row<uint64_t>(frame, t, tile.n, pixels[i]), g, copies + r * row_words());
      }
    }
    return {rows, r, index, wanted * tile.steps};
  }

  uint32_t* number_taps(size_t p, RowNumbers& numbers, uint32_t* index) const noexcept {
    const Window& w = shape_.window;
    if (const int64_t inside = w.first_if_inside(p); inside >= 0) {
      for (const int64_t offset : offsets_) *index++ = numbers.number(inside + offset);
    } else {
      w.for_taps(p,
                 [&](size_t, int64_t pixel) noexcept { *index++ = pixel < 0 ? 0 : numbers.number(pixel); });
    }
    return index;
  }

  const uint64_t* group_row(const uint64_t* row, size_t g, uint64_t* copy) const noexcept {
    const size_t first_bit = g * shape_.inputs;
    if (!copied()) return row + first_bit / 64;
    extract_bits(row, first_bit, shape_.inputs, copy);
    return copy;
  }

  void apply(const kernels::SpikeTile& spikes, size_t g, T* out, std::byte* scratch) const noexcept {
    const size_t cp = shape_.group_padded(), taps = shape_.window.taps();
    if constexpr (std::is_same_v<T, int32_t>) {
      if (weights_->plus.size() > 0 && counting_pays(spikes)) {
        const size_t group = cp * taps * ((shape_.inputs + 31) / 32);
        kernels().count_b1b1_i32(
            spikes,
            {weights_->plus.as<uint32_t>() + g * group, shape_.inputs, taps, shape_.group_channels(), cp},
            out, scratch);
        return;
      }
      const size_t group = kernels::code_rows(shape_.inputs, taps) * cp;
      const size_t bounds = weights_->bounds.size() / sizeof(uint16_t) / shape_.groups;
      kernels().addrows_b1i8_i32(
          spikes,
          {weights_->codes.as<int8_t>() + g * group, weights_->bounds.as<uint16_t>() + g * bounds,
           shape_.inputs, taps, cp, weights_->max_abs, odd_},
          out, scratch);
    } else {
      const size_t group = taps * shape_.inputs * cp;
      const float* bias = weights_->bias.size() == 0 ? nullptr : weights_->bias.as<float>() + g * cp;
      kernels().addrows_b1f32_f32(
          spikes, {weights_->codes.as<float>() + g * group, shape_.inputs, taps, cp, bias}, out, scratch);
    }
  }

  // Offsets in the lane for the sparse kernel, behind the sums of a group.
  struct RasterPlaces {
    size_t rows, places, offsets, copies, end;
  };

  [[nodiscard]] RasterPlaces raster_places(size_t rows, size_t pixels, size_t steps) const noexcept {
    RasterPlaces at{};
    at.rows = part_bytes(pixels * steps);
    at.places = at.rows + align_up(rows * sizeof(uint64_t*));
    at.offsets = at.places + align_up(pixels * steps * sizeof(uint32_t));
    at.copies = at.offsets + align_up(shape_.window.taps() * sizeof(uint32_t));
    at.end = at.copies + (copied() ? align_up(rows * row_words() * 8) : 0);
    return at;
  }
  [[nodiscard]] size_t raster_bytes(size_t pixels, size_t steps) const noexcept {
    const size_t rows = Raster(shape_.window, pixels, steps).rows();
    return raster_places(rows, pixels, steps).end +
           kernels::sparse_scratch(rows, shape_.inputs, shape_.window.taps());
  }

  void sparse_sums(const Frame& frame, const Tile& tile, size_t g, int32_t* out,
                   std::byte* lane) const noexcept {
    const Raster raster(shape_.window, tile);
    const RasterPlaces at = raster_places(raster.rows(), tile.count, tile.steps);
    auto** rows = reinterpret_cast<const uint64_t**>(lane + at.rows);
    auto* places = reinterpret_cast<uint32_t*>(lane + at.places);
    auto* offsets = reinterpret_cast<uint32_t*>(lane + at.offsets);
    auto* copy = reinterpret_cast<uint64_t*>(lane + at.copies);
    size_t count = 0;
    raster.for_rows([&](size_t t, int64_t pixel) noexcept {
      const uint64_t*& row = rows[count];
      row = zeros_.as<uint64_t>();
      if (pixel >= 0) {
        row = group_row(input_.row<uint64_t>(frame, tile.t + t, tile.n, static_cast<size_t>(pixel)), g,
                        copy + count * row_words());
      }
      ++count;
    });
    raster.places(tile, places);
    raster.offsets(offsets);
    kernels().sparse_b1i8_i32({rows, count, places, offsets, tile.count * tile.steps},
                              weights_->sparse[g].view(), out, lane + at.end);
  }

  // Both give the same sums. The sparse kernel's time does not depend on spikes; few pixels leave lanes
  // empty.
  [[nodiscard]] bool sparse_is_faster(const Frame& frame, const Tile& tile) const noexcept {
    const auto [low, high] = reach(tile);
    const size_t pixels = static_cast<size_t>(high - low + 1);
    uint64_t events = 0;
    for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
      const auto* first = input_.row<uint64_t>(frame, t, tile.n, static_cast<size_t>(low));
      events += kernels().popcount_b1(first, pixels * input_.row_bytes / 8);
    }
    const double spikes =
        static_cast<double>(events) / static_cast<double>(tile.steps * pixels * input_.channels);
    return sparse_work(tile) * static_cast<double>(kernels().sparse_cost) < spikes;
  }

  // What the sparse kernel adds, as a share of all weights at all pixels. To spread a spike of a row over its
  // lanes costs about as much as two weights.
  [[nodiscard]] double sparse_work(const Tile& tile) const noexcept {
    constexpr size_t kLanes = 32;
    const Raster raster(shape_.window, tile);
    const size_t pixels = tile.count * tile.steps, group = shape_.window.taps() * shape_.inputs;
    size_t work = 2 * shape_.groups * raster.rows() * shape_.inputs;
    for (const kernels::SparseCodes& s : weights_->sparse)
      work += s.codes.size() * std::max(kLanes, raster.lanes(pixels));
    return static_cast<double>(work) /
           static_cast<double>(shape_.groups * shape_.group_padded() * group * pixels);
  }

  // Is counting cheaper than gathering, with so many spikes? Both give the same sums.
  [[nodiscard]] bool counting_pays(const kernels::SpikeTile& spikes) const noexcept {
    const auto& cost = kernels().costs;
    const size_t taps = shape_.window.taps(), pixels = spikes.pixels;
    uint64_t events = 0;  // of the rows, not the taps that read them: nearly all are read equally often
    for (size_t r = 1; r < spikes.row_count; ++r)
      events += kernels().popcount_b1(spikes.rows[r], row_words());
    const auto reads = static_cast<float>(pixels * taps) / static_cast<float>(spikes.row_count);
    const auto blocks = static_cast<float>(shape_.group_padded() / kernels::kChannelPad);
    const auto parts = static_cast<float>(pixels * kernels::code_parts(shape_.inputs, taps));
    const auto words = static_cast<float>(pixels * taps * ((shape_.inputs + 31) / 32));
    return parts * (cost.gather_part + cost.gather_part_block * blocks) +
               static_cast<float>(events) * reads * cost.gather_spike_block * blocks >
           words * cost.count_word_block * blocks;
  }

  bool odd_;
  AlignedBuffer zeros_;
  std::vector<int64_t> offsets_;  // of the taps, from the first
};

}  // namespace

std::unique_ptr<Synapse> spike_synapse(const SynapseShape& shape, const Slot& input,
                                       std::shared_ptr<const PackedWeights> weights, Layout layout,
                                       bool odd) {
  if (layout == Layout::kRows) {
    return std::make_unique<SpikeSynapse<int32_t>>(shape, input, std::move(weights), odd);
  }
  return std::make_unique<SpikeSynapse<float>>(shape, input, std::move(weights), false);
}

}  // namespace snncore::runtime
