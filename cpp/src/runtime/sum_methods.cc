#include "runtime/sum_methods.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "runtime/line_rows.h"

namespace snncore::runtime {
namespace {

constexpr double real(size_t n) noexcept { return static_cast<double>(n); }

std::atomic<const kernels::SumCosts*> replaced{nullptr};

}  // namespace

const kernels::SumCosts& sum_costs() noexcept {
  const kernels::SumCosts* other = replaced.load(std::memory_order_relaxed);
  return other != nullptr ? *other : kernels::kernels().costs;
}

void replace_sum_costs(const kernels::SumCosts* costs) noexcept {
  replaced.store(costs, std::memory_order_relaxed);
}

TileWork::TileWork(const Window& window, const Tile& tile, double spikes) noexcept
    : pixels(tile.count * tile.steps), density(spikes) {
  const Raster raster(window, tile, kernels::kernels().columns);
  raster_rows = raster.rows();
  vectors = raster.vectors(tile, static_cast<int64_t>(sum_costs().lanes));
  if (sum_costs().dense_tile == 0) return;  // the level has no such products
  const Raster image(window, tile, false);
  dense_rows = image.rows();
  dense_tiles = image.vectors(tile, kernels::kDensePixels);
}

TileWork TileWork::part(double share) const noexcept {
  TileWork w = *this;
  const auto of = [share](size_t n) { return static_cast<size_t>(std::ceil(real(n) * share)); };
  w.pixels = of(pixels);
  w.raster_rows = of(raster_rows);
  w.vectors = of(vectors);
  w.dense_rows = of(dense_rows);
  w.dense_tiles = of(dense_tiles);
  w.density = std::min(1.0, density / share);
  return w;
}

bool SumMethods::has(SumMethod method) const noexcept {
  switch (method) {
    case SumMethod::kCount:
      return weights_.plus.size() > 0;
    case SumMethod::kSparse:
      return !weights_.sparse.empty();
    case SumMethod::kLookUp:
      return !weights_.tables.empty();
    case SumMethod::kDense:
      return weights_.dense.size() > 0;
    case SumMethod::kGather:
      break;
  }
  return weights_.codes.size() > 0;
}

double SumMethods::ns(SumMethod method, const TileWork& work) const noexcept {
  const auto groups = real(shape_.groups);
  switch (method) {
    case SumMethod::kCount:
      return groups * count_ns(work);
    case SumMethod::kSparse:
      return groups * sparse_ns(work);
    case SumMethod::kLookUp:
      return groups * look_up_ns(work);
    case SumMethod::kDense:
      return groups * dense_ns(work);
    case SumMethod::kGather:
      break;
  }
  return groups * gather_ns(work);
}

bool SumMethods::has_lanes(SumMethod method) const noexcept {
  if (!kernels::kernels().lanes || shape_.groups > 1 || !has(method)) return false;
  if (method == SumMethod::kSparse) return weights_.sparse[0].most_chunks() <= kernels::kLaneRuns;
  return method == SumMethod::kLookUp && weights_.tables[0].most_runs() <= kernels::kLaneRuns;
}

SumChoice SumMethods::choice(const TileWork& work) const noexcept {
  SumMethod busy = SumMethod::kGather;
  double least = std::numeric_limits<double>::infinity();
  for (const SumMethod method :
       {SumMethod::kCount, SumMethod::kSparse, SumMethod::kLookUp, SumMethod::kDense}) {
    if (!has(method)) continue;
    const double time = ns(method, work);
    if (time >= least) continue;
    busy = method;
    least = time;
  }
  return {busy, gather_above(work, least)};
}

double SumMethods::gather_above(TileWork work, double most) const noexcept {
  work.density = 0;
  const double silent = ns(SumMethod::kGather, work);
  work.density = 1;
  return (most - silent) / (ns(SumMethod::kGather, work) - silent);
}

// Each of one group.

double SumMethods::gather_ns(const TileWork& work) const noexcept {
  const auto& cost = sum_costs();
  const SynapseShape s = gathered(shape_);
  const size_t taps = s.window.taps();
  const double blocks = real(s.group_padded() / kernels::kChannelPad);
  const kernels::CodeParts codes{s.inputs, taps, s.group_padded()};
  const double parts = real(work.pixels * codes.count());
  // A row of weights comes from the second-level cache once a tile, which takes as long as adding it so
  // often; where a part has several taps, copying the list of one takes as long as finding so many.
  constexpr double kFar = 4, kCopied = 2;
  const double found = codes.joined() > 1 ? 1 + kCopied : 1;
  const double spikes = real(taps * s.inputs) * (real(work.pixels) * work.density + kFar);
  const bool narrow = kernels::rows_in_byte(weights_.max_abs) >= 4;
  return real(work.pixels * taps) * found * cost.tap +
         parts * (cost.gather_part + cost.gather_part_block * blocks) +
         spikes * (narrow ? cost.gather_spike_block : cost.gather_wide_block) * blocks;
}

double SumMethods::count_ns(const TileWork& work) const noexcept {
  const double blocks = real(shape_.group_padded() / kernels::kChannelPad);
  const size_t taps = shape_.window.taps();
  const double words = real(kernels::patch_words(shape_.inputs, taps));
  return real(work.pixels) * (real(taps) * sum_costs().tap + words * blocks * sum_costs().count_word_block);
}

double SumMethods::sparse_ns(const TileWork& work) const noexcept {
  return codes_ns(work.raster_rows, work.vectors) +
         real(work.pixels * shape_.group_padded()) * sum_costs().sparse_put;
}

// Without what brings sums from their lanes to rows.
double SumMethods::codes_ns(size_t rows, size_t vectors) const noexcept {
  const auto& cost = sum_costs();
  constexpr double kNear = 32768;  // what a first-level cache holds
  double codes = 0, chunks = 0;
  for (const kernels::SparseCodes& s : weights_.sparse) {
    codes += real(s.codes.size());
    chunks += real(s.codes.size() / s.chunk);
  }
  const double planes = real(rows * shape_.inputs), far = std::max(0.0, 1 - kNear / planes);
  const double code = cost.sparse_code + cost.sparse_code_far * far;
  return planes * cost.spread + real(vectors) *
                                    (codes * code + chunks * kernels::kChunkCodes * cost.sparse_code) /
                                    real(shape_.groups);
}

double SumMethods::look_up_ns(const TileWork& work) const noexcept {
  return looks_ns(work.raster_rows, work.vectors, shape_.group_padded()) +
         real(work.pixels * shape_.group_padded()) * sum_costs().lut_put;
}

// Without what brings sums from their lanes to rows. A table is made once for four vectors at most, in two
// thirds of the time that a look takes among four.
double SumMethods::looks_ns(size_t rows, size_t vectors, size_t channels) const noexcept {
  constexpr double kTogether = 4, kTable = 2.0 / 3;
  const auto& cost = sum_costs();
  const double tables = real(kernels::lut_tables(shape_.inputs, kernels::kernels().lut_width));
  double runs = 0;  // of a channel
  for (const kernels::LutCodes& t : weights_.tables)
    runs += real(t.runs.size() * kernels::kLutChannels) / real(shape_.groups * shape_.group_padded());
  const double looks = tables * real(shape_.window.taps()) + kernels::kRunLooks * runs;
  const double taken =
      (1 - kTable / kTogether) * real(vectors) + kTable * std::ceil(real(vectors) / kTogether);
  return real(rows) * tables * cost.spread + taken * looks * real(channels) * cost.lut_look;
}

LaneChoice SumMethods::lane_choice(const TileWork& work, size_t rows, size_t vectors) const noexcept {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const double codes = has_lanes(SumMethod::kSparse) ? codes_ns(rows, vectors) : kNever;
  const double looks = has_lanes(SumMethod::kLookUp) ? looks_ns(rows, vectors, shape_.channels) : kNever;
  const SumMethod method = codes < looks ? SumMethod::kSparse : SumMethod::kLookUp, busy = choice(work).busy;
  const double least = std::min(codes, looks);
  const bool slower = busy != SumMethod::kGather && ns(busy, work) <= least;
  return {method, slower || least == kNever ? kNever : gather_above(work, least)};
}

// A tile of sums takes as long to store as a product.
double SumMethods::dense_ns(const TileWork& work) const noexcept {
  const auto& cost = sum_costs();
  constexpr double kNear = 1 << 20;  // what a second-level cache holds beside sums
  const size_t group = kernels::dense_bytes(shape_.inputs, shape_.window.taps(),
                                            Raster::run_taps(shape_.window), shape_.group_padded());
  const double far = std::max(0.0, 1 - kNear / real(group * shape_.groups));
  const double tiles = real(group / kernels::kDenseTile);
  const double sums = real(shape_.group_padded() / kernels::kDenseChannels);
  return real(work.dense_rows) * std::ceil(real(shape_.inputs) / 64) * cost.dense_spread +
         real(work.dense_tiles) * (tiles + sums) * cost.dense_tile + tiles * far * cost.dense_far;
}

}  // namespace snncore::runtime
