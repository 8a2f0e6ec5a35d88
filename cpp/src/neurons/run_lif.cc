#include "neurons/run_lif.h"

#include <algorithm>
#include <cstring>

#include "base/align.h"
#include "base/bits.h"
#include "kernels/table.h"

namespace snncore::neurons {
namespace {

using kernels::LifRows;

constexpr size_t kMostPlaces = 512, kTileBytes = 128 * 1024;  // of spikes before they are transposed
constexpr size_t kTailLanes = 64;

size_t tile_places(const LifExtents& e) noexcept {
  size_t tile = std::min(kMostPlaces, words_for(e.places) * 64);
  while (tile > 64 && e.steps * e.channels * tile / 8 > kTileBytes) tile = align_up(tile / 2, 64);
  return tile;
}

const std::byte* currents_at(const LifRows& rows, size_t element, size_t bytes) noexcept {
  return static_cast<const std::byte*>(rows.currents) + element * bytes;
}

// The same rows from `lane` on, a multiple of 64.
LifRows from_lane(LifRows rows, size_t lane, size_t bytes) noexcept {
  rows.currents = currents_at(rows, lane, bytes);
  rows.lanes -= lane;
  rows.out += lane / 64;
  if (rows.record != nullptr) rows.record += lane;
  return rows;
}

}  // namespace

LifRun::LifRun(const LifExtents& extents, const RowNeuron& neuron, const LifRows& rows,
               size_t current_bytes) noexcept
    : e_(extents), neuron_(neuron), all_(rows), current_bytes_(current_bytes), tile_(tile_places(extents)) {
  all_.steps = e_.steps;
  all_.t_stride = all_.record_t_stride = e_.samples * e_.channels * e_.places;
  all_.row_stride = e_.channels_last ? e_.channels : e_.places;
  all_.out_stride = words_for(e_.channels);
  all_.out_t_stride = e_.samples * e_.places * all_.out_stride;
}

size_t LifRun::parts() const noexcept { return e_.samples * (e_.channels_last ? e_.places : tiles()); }

size_t LifRun::scratch_bytes() const noexcept {
  const size_t tail = align_up(e_.steps * kTailLanes * current_bytes_);
  return tail + (e_.channels_last ? 0 : align_up(e_.steps * e_.channels * tile_ / 8));
}

void LifRun::run(size_t first_part, size_t count, std::byte* scratch) const noexcept {
  if (e_.channels_last) {
    LifRows rows = all_;
    rows.rows = count;
    rows.lanes = e_.channels;
    rows.out += first_part * rows.out_stride;
    run_at(first_part * e_.channels, rows, scratch);
    return;
  }
  for (size_t i = first_part; i < first_part + count; ++i) {
    run_tile(i / tiles(), i % tiles() * tile_, scratch);
  }
}

void LifRun::run_tile(size_t sample, size_t first, std::byte* scratch) const noexcept {
  auto* planes = reinterpret_cast<uint64_t*>(scratch + align_up(e_.steps * kTailLanes * current_bytes_));
  LifRows rows = all_;
  rows.rows = e_.channels;
  rows.lanes = std::min(tile_, e_.places - first);
  const size_t words = words_for(rows.lanes);
  rows.out = planes;
  rows.out_stride = words;
  rows.out_t_stride = e_.channels * words;
  run_at(sample * e_.channels * e_.places + first, rows, scratch);

  for (size_t t = 0; t < e_.steps; ++t) {
    uint64_t* to = all_.out + t * all_.out_t_stride + (sample * e_.places + first) * all_.out_stride;
    kernels::kernels().transpose_b1(planes + t * rows.out_t_stride, words, e_.channels, rows.lanes, to);
  }
}

// Runs `rows`, whose currents and membranes start `offset` elements behind the array's. Kernels read whole
// blocks of lanes; rows where the last block would end behind the array are read from a copy.
void LifRun::run_at(size_t offset, LifRows rows, std::byte* scratch) const noexcept {
  rows.currents = currents_at(rows, offset, current_bytes_);
  if (rows.record != nullptr) rows.record += offset;
  const size_t readable = rows.t_stride - offset, reach = kernels::pad_channels(rows.lanes);  // the last step
  const size_t inside = readable < reach ? 0 : (readable - reach) / rows.row_stride + 1;
  const size_t all = rows.rows;
  rows.rows = std::min(all, inside);
  neuron_.run(rows, 0);
  for (size_t r = rows.rows; r < all; ++r) {
    LifRows one = rows;
    one.rows = 1;
    one.currents = currents_at(rows, r * rows.row_stride, current_bytes_);
    one.out += r * rows.out_stride;
    if (one.record != nullptr) one.record += r * rows.row_stride;
    run_copied(one, e_.channels_last ? 0 : r, scratch);
  }
}

// One row, its last lanes from a copy.
void LifRun::run_copied(LifRows row, size_t channel, std::byte* scratch) const noexcept {
  const size_t whole = row.lanes / kTailLanes * kTailLanes;
  LifRows tail = from_lane(row, whole, current_bytes_);
  row.lanes = whole;
  neuron_.run(row, channel);
  if (tail.lanes == 0) return;
  for (size_t t = 0; t < row.steps; ++t) {
    std::memcpy(scratch + t * kTailLanes * current_bytes_,
                currents_at(tail, t * row.t_stride, current_bytes_), tail.lanes * current_bytes_);
  }
  tail.currents = scratch;
  tail.t_stride = kTailLanes;
  neuron_.run(tail, e_.channels_last ? whole : channel);
}

}  // namespace snncore::neurons
