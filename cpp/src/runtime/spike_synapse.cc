// Spikes into coded weights: the tile is laid out for the method that is the fastest on it.
#include <algorithm>
#include <limits>

#include "kernels/table.h"
#include "runtime/lane_rows.h"
#include "runtime/patch_rows.h"
#include "runtime/raster_rows.h"
#include "runtime/skips.h"
#include "runtime/spike_rows.h"
#include "runtime/sum_methods.h"
#include "runtime/synapse_base.h"
#include "runtime/token_rows.h"
#include "runtime/touched.h"

namespace snncore::runtime {
namespace {

using kernels::kernels;

// Sums that are computed together for their neurons: rows of so many channels, 16 KB.
constexpr size_t kNearRows = 64, kWordChannels = 64;

class SpikeSynapse final : public SynapseBase {
 public:
  SpikeSynapse(const SynapseShape& shape, const Slot& input, std::shared_ptr<const PackedWeights> weights,
               bool odd, const Slot* gate)
      : SynapseBase(shape, input, std::move(weights)),
        methods_(shape_, *weights_),
        rows_(shape, input),
        patches_(shape, input),
        raster_(shape, input, kernels().columns),
        image_(shape, input, false),
        lanes_(lane_rows(shape, input, methods_)),
        odd_(odd) {
    if (TokenRows::fits(shape)) tokens_.emplace(input, gate);
    most_tokens_ = token_share();
  }

  [[nodiscard]] size_t lane_bytes(size_t pixels, size_t steps) const noexcept override {
    size_t bytes = gather_bytes(pixels, steps) + align_up(pixels * sizeof(uint32_t)) + align_up(pixels);
    if (const size_t scratch = raster_scratch(raster_.most_rows(pixels, steps)); scratch > 0) {
      bytes = std::max(bytes, raster_.bytes(pixels, steps) + scratch);
    }
    if (methods_.has(SumMethod::kCount)) {
      bytes = std::max(bytes, patches_.bytes(pixels * steps) + patches_.lines_bytes(pixels, steps));
    }
    if (methods_.has(SumMethod::kDense)) {
      const size_t rows = image_.most_rows(pixels, steps);
      bytes = std::max(
          bytes, image_.bytes(pixels, steps) + kernels::dense_scratch(rows, shape_.inputs, pixels * steps));
    }
    if (tokens_) bytes = std::max(bytes, token_bytes(pixels * steps));
    return std::max(part_bytes(pixels * steps) + bytes, lane_sum_bytes(pixels, steps));
  }

  // Many pixels for kernels whose lanes are pixels.
  [[nodiscard]] TileSize good_tile() const noexcept override {
    if (methods_.has(SumMethod::kDense)) return {kRasterTile, kRasterTile, kDenseSums};
    if (methods_.has_lanes(SumMethod::kSparse)) return {2 * kRasterTile, 2 * kRasterTile};
    if (methods_.has_lanes()) return lane_tile(shape_.channels);
    if (counts_vectors())
      return {kNearRows, kNearRows, kNearRows * kernels::pad_channels(shape_.channels) * 4};
    return methods_.rasters() ? TileSize{kRasterTile, kRasterTile} : listing_tile();
  }

  void cut(size_t pixels, size_t steps) override {
    if (methods_.only_gather()) return;
    cut_ = pixels;
    choices_.clear();
    const size_t all = shape_.window.pixels();
    for (size_t p = 0; p < all; p += pixels) {
      choices_.push_back(choice({.first = p, .count = std::min(pixels, all - p), .steps = steps}));
    }
  }

  void sums(const Frame& frame, const Tile& tile, void* out, std::byte* lane) const noexcept override {
    if (skipped(frame, tile, static_cast<int32_t*>(out), lane)) return;
    const SumMethod method =
        methods_.only_gather() ? SumMethod::kGather : chosen(tile).rows.at(density(frame, tile));
    sums_by(method, frame, tile, static_cast<int32_t*>(out), lane);
  }

  bool sums_or_spikes(const Frame& frame, const Tile& tile, const TileNeurons& neurons, void* out,
                      std::byte* lane) const noexcept override {
    auto* const sums = static_cast<int32_t*>(out);
    if (skipped(frame, tile, sums, lane)) return false;
    if (methods_.only_gather()) {
      sums_by(SumMethod::kGather, frame, tile, sums, lane);
      return false;
    }
    const Choice choice = chosen(tile);
    const double spikes = density(frame, tile);
    // Tiles of one step may have few pixels that read a spike: rows are faster there.
    const bool few = skips() && tile.steps == 1;
    if (neurons.step_lanes != nullptr && !few && spikes > choice.lanes.above) {
      lane_spikes(choice.lanes.method, frame, tile, neurons, lane);
      return true;
    }
    const SumMethod method = choice.rows.at(spikes);
    if (method == SumMethod::kCount && shape_.groups == 1 && tile.steps <= kNearRows) {
      count_spikes(frame, tile, neurons, sums, lane);
      return true;
    }
    sums_by(method, frame, tile, sums, lane);
    return false;
  }

 private:
  // For a tile, by the share of its inputs that spike.
  struct Choice {
    SumChoice rows;
    LaneChoice lanes;
  };
  [[nodiscard]] Choice choice(const Tile& tile) const noexcept {
    const TileWork work{shape_.window, tile, 0};
    const SumChoice rows = methods_.choice(work);
    if (!methods_.has_lanes() || tokens_)
      return {rows, {SumMethod::kLookUp, std::numeric_limits<double>::infinity()}};
    const LaneRows::Form form = lanes_.form(tile);
    return {rows,
            methods_.lane_choice(work, form.rows, form.vectors(static_cast<size_t>(sum_costs().lanes)))};
  }
  // Made beforehand for the tiles that the layer is cut into.
  [[nodiscard]] Choice chosen(const Tile& tile) const noexcept {
    return cut_ > 0 ? choices_[tile.first / cut_] : choice(tile);
  }

  void sums_by(SumMethod method, const Frame& frame, const Tile& tile, int32_t* out,
               std::byte* lane) const noexcept {
    const size_t pixels = tile.count * tile.steps;
    std::byte* const memory = lane + part_bytes(pixels);
    for_groups(shape_, pixels, out, reinterpret_cast<int32_t*>(lane), [&](size_t g, int32_t* to) noexcept {
      if (method == SumMethod::kGather) {
        kernels().addrows_b1i8_i32(rows_.read(frame, tile, g, memory), row_weights(g), to,
                                   memory + rows_.bytes(tile.count, tile.steps));
      } else if (method == SumMethod::kCount) {
        const PatchRows::Lines lines = patches_.lines(frame, tile, g, memory + patches_.bytes(pixels));
        kernels().count_b1b1_i32(patches_.read(lines, tile, memory), group_bits(g), to);
      } else {
        const RasterRows& raster = method == SumMethod::kDense ? image_ : raster_;
        raster_sums(method, raster.read(frame, tile, g, memory), g, to,
                    memory + raster.bytes(tile.count, tile.steps));
      }
    });
  }

  // Sums that neurons take where they are made, in the lanes of their pixels.
  void lane_spikes(SumMethod method, const Frame& frame, const Tile& tile, const TileNeurons& neurons,
                   std::byte* lane) const noexcept {
    const LaneRows::Form form = lanes_.form(tile);
    const size_t places = form.end(), pitch = kernels::lane_pitch(places);
    auto* sums = reinterpret_cast<int16_t*>(lane);
    const LaneRows::Read rows = lanes_.read(frame, tile, form, lane + plane_bytes(places));
    if (method == SumMethod::kSparse) {
      kernels().sparse_b1i8_lanes(rows.spikes, weights_->sparse[0].view(), sums, pitch, rows.rest);
    } else {
      kernels().lut_b1i4_lanes(rows.spikes, weights_->tables[0].view(), sums, pitch, rows.rest);
    }
    neurons.step_lanes(neurons.lif,
                       {nullptr, sums, pitch, tile.steps == 1 ? 0 : form.step, rows.places, neurons.spikes});
  }

  // Few sums at a time, which the neurons take from the first-level cache: some pixels in all steps, and the
  // channels of a word.
  void count_spikes(const Frame& frame, const Tile& tile, const TileNeurons& neurons, int32_t* sums,
                    std::byte* lane) const noexcept {
    const size_t together = std::max<size_t>(kNearRows / tile.steps, 1);
    const PatchRows::Lines lines =
        patches_.lines(frame, tile, 0, lane + patches_.bytes(tile.count * tile.steps));
    Tile near = tile;
    for (size_t p = 0; p < tile.count; p += together) {
      near.first = tile.first + p;
      near.count = std::min(together, tile.count - p);
      const kernels::Patches patches = patches_.read(lines, near, lane);
      for (size_t c = 0; c < shape_.channels; c += kWordChannels) {
        const kernels::BitWeights weights = bit_weights(c, std::min(kWordChannels, shape_.channels - c));
        kernels().count_b1b1_i32(patches, weights, sums);
        TileNeurons of = part_of(neurons, p, near.count, c, weights.channels);
        of.lif.sums = sums;
        if (tile.steps == 1) of.lif.sums_t_stride = 0;
        if (of.spikes.rows != nullptr) {
          kernels().add_bits_i32(of.spikes, of.lif.channels_padded, false, of.extra);
          of.lif.extra = of.extra;
        }
        of.step(of.lif);
      }
    }
  }

  // Pixels from `p` and channels from `c` on, the first of a word.
  static TileNeurons part_of(const TileNeurons& all, size_t p, size_t pixels, size_t c,
                             size_t channels) noexcept {
    TileNeurons some = all;
    kernels::LifTile& lif = some.lif;
    lif.pixels = pixels;
    lif.channels = channels;
    lif.channels_padded = kernels::pad_channels(channels);
    lif.sums_t_stride = pixels * lif.channels_padded;
    for (const int32_t** row : {&lif.m, &lif.c, &lif.n, &lif.theta}) *row += c;
    if (lif.psi != nullptr) lif.psi += c;
    lif.out += p * lif.out_stride + c / kWordChannels;
    kernels::WeightedSpikes& spikes = some.spikes;
    if (spikes.rows == nullptr) return some;
    spikes.rows += p * spikes.stride + c / kWordChannels;
    spikes.pixels = pixels;
    spikes.factor += c;
    return some;
  }

  // Neurons take the sums of so few rows at a time that a tile of all channels has no need to be near.
  [[nodiscard]] bool counts_vectors() const noexcept {
    return methods_.has(SumMethod::kCount) && shape_.groups == 1 && shape_.window.taps() == 1;
  }

  // Whether the tile had so few spikes that the sums are there already.
  [[nodiscard]] bool skipped(const Frame& frame, const Tile& tile, int32_t* out,
                             std::byte* lane) const noexcept {
    if (!skips()) return false;
    return few_sums(frame, tile, out, lane) || (tokens_ && token_sums(frame, tile, out, lane));
  }

  // Of sums in lanes, 0 where there are none.
  [[nodiscard]] size_t lane_sum_bytes(size_t pixels, size_t steps) const noexcept {
    if (!methods_.has_lanes() || tokens_) return 0;
    return plane_bytes(lanes_.most_places(pixels, steps)) + lanes_.bytes(pixels, steps) +
           raster_scratch(lanes_.most_rows(pixels, steps));
  }
  // Of sums in lanes.
  [[nodiscard]] size_t plane_bytes(size_t places) const noexcept {
    const size_t channels = align_up(shape_.channels, kernels::kLutChannels);
    return (channels * kernels::lane_pitch(places) + kernels::kLaneTail) * sizeof(int16_t);
  }

  [[nodiscard]] size_t gather_bytes(size_t pixels, size_t steps) const noexcept {
    return rows_.bytes(pixels, steps) + rows_.scratch_bytes(pixels, steps);
  }

  // Where few pixels read a spike, only those are computed; false where they are too many.
  [[nodiscard]] bool few_sums(const Frame& frame, const Tile& tile, int32_t* out,
                              std::byte* lane) const noexcept {
    const auto [low, high] = reach(shape_.window, tile);
    if (silent(frame, tile, low, high)) {
      std::fill_n(out, tile.count * tile.steps * shape_.padded(), 0);
      return true;
    }
    if (tile.steps > 1 || shape_.groups > 1 || tile.count == 1 || !methods_.has(SumMethod::kGather))
      return false;
    auto* list = reinterpret_cast<uint32_t*>(lane + gather_bytes(tile.count, 1));
    auto* marks = reinterpret_cast<uint8_t*>(list) + align_up(tile.count * sizeof(uint32_t));
    const size_t count =
        touched_pixels(shape_.window, input_, frame, tile, low, high, tile.count / 8 + 1, marks, list);
    if (2 * count > tile.count) return false;
    if (count > 0) {
      kernels().addrows_b1i8_i32(rows_.read(frame, tile, 0, lane, {list, count}), row_weights(0), out,
                                 lane + rows_.bytes(tile.count, 1));
    }
    spread_rows(list, count, tile.count, shape_.padded(), out);
    return true;
  }

  // Of the methods that read rasters with columns, 0 where there is none.
  [[nodiscard]] size_t raster_scratch(size_t rows) const noexcept {
    const size_t taps = shape_.window.taps();
    size_t bytes = 0;
    if (methods_.has(SumMethod::kSparse)) bytes = kernels::sparse_scratch(rows, shape_.inputs, taps);
    if (methods_.has(SumMethod::kLookUp)) {
      bytes = std::max(bytes, kernels::lut_scratch(rows, shape_.inputs, taps));
    }
    return bytes;
  }

  [[nodiscard]] size_t token_bytes(size_t rows) const noexcept {
    size_t scratch = kernels::addrows_scratch(rows, shape_.inputs, rows);
    if (methods_.has(SumMethod::kCount)) scratch = std::max(scratch, patches_.bytes(rows));
    scratch = std::max(scratch, raster_scratch(rows));
    if (methods_.has(SumMethod::kDense)) {
      scratch = std::max(scratch, kernels::dense_scratch(rows, shape_.inputs, rows));
    }
    return TokenRows::bytes(rows) + scratch;
  }

  // The share of rows up to which it is faster to compute them alone: all rows are brought to their places,
  // and neurons take them from there. Layers of few channels are too fast for that.
  [[nodiscard]] double token_share() const noexcept {
    constexpr double kPlacedSum = 0.1;  // nanoseconds; estimated, not a cost that --costs measures
    constexpr size_t kTokens = 64;
    const Window window = Window::same(kTokens);
    const TileWork work{window, {.count = kTokens}, 0.2};
    const double row = methods_.ns(methods_.fastest(work), work) / kTokens;
    return std::min(0.875, 1 - kPlacedSum * static_cast<double>(shape_.padded()) / row);
  }

  // Where many rows give nothing, the others are computed alone; false where they are too many.
  [[nodiscard]] bool token_sums(const Frame& frame, const Tile& tile, int32_t* out,
                                std::byte* lane) const noexcept {
    if (most_tokens_ <= 0) return false;
    const size_t all = tile.count * tile.steps;
    const TokenRows::Found found = tokens_->find(frame, tile, lane);
    if (static_cast<double>(found.count) > most_tokens_ * static_cast<double>(all)) return false;
    if (found.count > 0) {
      const double share = static_cast<double>(found.count) / static_cast<double>(all);
      const SumMethod method =
          methods_.only_gather()
              ? SumMethod::kGather
              : methods_.fastest(TileWork{shape_.window, tile, density(frame, tile)}.part(share));
      std::byte* const scratch = lane + TokenRows::bytes(all);
      if (method == SumMethod::kGather) {
        kernels().addrows_b1i8_i32(found.tile(), row_weights(0), out, scratch);
      } else if (method == SumMethod::kCount) {
        kernels().count_b1b1_i32(patches_.of(found.rows, found.count, scratch), group_bits(0), out);
      } else {
        raster_sums(method, found.raster(), 0, out, scratch);
      }
    }
    spread_rows(found.list, found.count, all, shape_.padded(), out);
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

  // The share of a tile's inputs that spike.
  [[nodiscard]] double density(const Frame& frame, const Tile& tile) const noexcept {
    const auto [low, high] = reach(shape_.window, tile);
    const size_t pixels = static_cast<size_t>(high - low + 1);
    uint64_t events = 0;
    for (size_t t = tile.t; t < tile.t + tile.steps; ++t) {
      const auto* first = input_.row<uint64_t>(frame, t, tile.n, static_cast<size_t>(low));
      events += kernels().popcount_b1(first, pixels * input_.row_bytes / sizeof(uint64_t));
    }
    return static_cast<double>(events) / static_cast<double>(tile.steps * pixels * input_.channels);
  }

  void raster_sums(SumMethod method, const kernels::SpikeRaster& spikes, size_t g, int32_t* out,
                   std::byte* scratch) const noexcept {
    if (method == SumMethod::kSparse) {
      kernels().sparse_b1i8_i32(spikes, weights_->sparse[g].view(), out, scratch);
    } else if (method == SumMethod::kLookUp) {
      kernels().lut_b1i4_i32(spikes, weights_->tables[g].view(), out, scratch);
    } else {
      kernels().gemm_b1i8_i32(spikes, dense_weights(g), out, scratch);
    }
  }

  [[nodiscard]] kernels::RowWeights row_weights(size_t g) const noexcept {
    const SynapseShape s = gathered(shape_);
    const size_t cp = s.group_padded(), taps = s.window.taps();
    const size_t group = kernels::CodeParts{s.inputs, taps, cp}.rows() * cp;
    const size_t bounds = weights_->bounds.size() / sizeof(uint16_t) / shape_.groups;
    return {weights_->codes.as<int8_t>() + g * group,
            weights_->bounds.as<uint16_t>() + g * bounds,
            s.inputs,
            taps,
            cp,
            weights_->max_abs,
            odd_};
  }
  [[nodiscard]] kernels::BitWeights group_bits(size_t g) const noexcept {
    return bit_weights(g * shape_.group_padded(), shape_.group_channels());
  }
  // Channels from `first` of the padded groups on, the first of a block.
  [[nodiscard]] kernels::BitWeights bit_weights(size_t first, size_t channels) const noexcept {
    const size_t words = kernels::patch_words(shape_.inputs, shape_.window.taps());
    return {weights_->plus.as<uint32_t>() + first * words, weights_->ones.as<int32_t>() + first, words,
            channels, kernels::pad_channels(channels)};
  }

  [[nodiscard]] kernels::DenseWeights dense_weights(size_t g) const noexcept {
    const size_t group = weights_->dense.size() / shape_.groups;
    return {weights_->dense.as<int8_t>() + g * group, shape_.inputs, shape_.window.taps(),
            Raster::run_taps(shape_.window), shape_.group_padded()};
  }

  SumMethods methods_;
  SpikeRows rows_;
  PatchRows patches_;
  RasterRows raster_, image_;
  LaneRows lanes_;
  bool odd_;
  std::optional<TokenRows> tokens_;
  double most_tokens_;           // share of a tile's rows
  size_t cut_ = 0;               // pixels of a tile, if known
  std::vector<Choice> choices_;  // of each
};

}  // namespace

std::unique_ptr<Synapse> spike_synapse(const SynapseShape& shape, const Slot& input,
                                       std::shared_ptr<const PackedWeights> weights, bool odd,
                                       const Slot* gate) {
  return std::make_unique<SpikeSynapse>(shape, input, std::move(weights), odd, gate);
}

}  // namespace snncore::runtime
