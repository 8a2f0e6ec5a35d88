#include "runtime/sum_methods.h"

#include <algorithm>
#include <atomic>
#include <initializer_list>

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
}

bool SumMethods::has(SumMethod method) const noexcept {
  switch (method) {
    case SumMethod::kCount:
      return weights_.plus.size() > 0;
    case SumMethod::kSparse:
      return !weights_.sparse.empty();
    case SumMethod::kLookUp:
      return !weights_.tables.empty();
    case SumMethod::kGather:
      break;
  }
  return true;
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
    case SumMethod::kGather:
      break;
  }
  return groups * gather_ns(work);
}

SumMethod SumMethods::fastest(const TileWork& work) const noexcept {
  SumMethod best = SumMethod::kGather;
  double least = ns(best, work);
  for (const SumMethod method : {SumMethod::kCount, SumMethod::kSparse, SumMethod::kLookUp}) {
    if (!has(method)) continue;
    const double time = ns(method, work);
    if (time >= least) continue;
    best = method;
    least = time;
  }
  return best;
}

// Each of one group.

double SumMethods::gather_ns(const TileWork& work) const noexcept {
  const auto& cost = sum_costs();
  const size_t taps = shape_.window.taps();
  const double blocks = real(shape_.group_padded() / kernels::kChannelPad);
  const double parts = real(work.pixels * kernels::code_parts(shape_.inputs, taps));
  const double spikes = real(work.pixels * taps * shape_.inputs) * work.density;
  const bool narrow = kernels::rows_in_byte(weights_.max_abs) >= 4;
  return real(work.pixels * taps) * cost.tap + parts * (cost.gather_part + cost.gather_part_block * blocks) +
         spikes * (narrow ? cost.gather_spike_block : cost.gather_wide_block) * blocks;
}

double SumMethods::count_ns(const TileWork& work) const noexcept {
  const double blocks = real(shape_.group_padded() / kernels::kChannelPad);
  const double taps = real(work.pixels * shape_.window.taps()), words = real((shape_.inputs + 31) / 32);
  return taps * (sum_costs().tap + words * blocks * sum_costs().count_word_block);
}

double SumMethods::sparse_ns(const TileWork& work) const noexcept {
  const auto& cost = sum_costs();
  constexpr double kNear = 32768;  // what a first-level cache holds
  double codes = 0, chunks = 0;
  for (const kernels::SparseCodes& s : weights_.sparse) {
    codes += real(s.codes.size());
    chunks += real(s.codes.size() / s.chunk);
  }
  const double planes = real(work.raster_rows * shape_.inputs), far = std::max(0.0, 1 - kNear / planes);
  const double code = cost.sparse_code + cost.sparse_code_far * far;
  return planes * cost.spread + real(work.pixels * shape_.group_padded()) * cost.sparse_put +
         real(work.vectors) * (codes * code + chunks * kernels::kChunkCodes * cost.sparse_code) /
             real(shape_.groups);
}

double SumMethods::look_up_ns(const TileWork& work) const noexcept {
  const auto& cost = sum_costs();
  const double tables = real(kernels::lut_tables(shape_.inputs, kernels::kernels().lut_width));
  double runs = 0;
  for (const kernels::LutCodes& t : weights_.tables) runs += real(t.runs.size() * kernels::kLutChannels);
  const double looks = tables * real(shape_.window.taps() * shape_.group_padded());
  return real(work.raster_rows) * tables * cost.spread +
         real(work.pixels * shape_.group_padded()) * cost.lut_put +
         real(work.vectors) * (looks + kernels::kRunLooks * runs / real(shape_.groups)) * cost.lut_look;
}

}  // namespace snncore::runtime
