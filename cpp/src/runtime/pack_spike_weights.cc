// Coded weights of spikes: rows to gather always, and what faster methods read where they can be faster.
#include <algorithm>
#include <cstdlib>

#include "kernels/row_bounds.h"
#include "kernels/table.h"
#include "runtime/lane_rows.h"
#include "runtime/line_rows.h"
#include "runtime/pack.h"
#include "runtime/sum_methods.h"

namespace snncore::runtime {
namespace {

using tensor::Encoding;
using tensor::Tensor;

void pack_rows(const Tensor& w, const SynapseShape& shape, PackedWeights& out) {
  const SynapseShape s = gathered(shape);
  const size_t cp = s.group_padded();
  const kernels::CodeParts parts{s.inputs, s.window.taps(), cp};
  const size_t rows = parts.rows();
  out.codes = AlignedBuffer(s.groups * rows * cp);
  for (size_t g = 0; g < s.groups; ++g) {
    int8_t* to = out.codes.as<int8_t>() + g * rows * cp;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      const int32_t q = tensor::code_at(w, i);
      out.max_abs = std::max(out.max_abs, std::abs(q));
      to[kernels::row_weight<kernels::kCodeBlock>(parts.row(tap, k), c, rows, cp)] = static_cast<int8_t>(q);
    });
  }
  const size_t group_bounds = kernels::row_bounds(s.inputs, s.window.taps(), cp);
  out.bounds = AlignedBuffer(s.groups * group_bounds * sizeof(uint16_t));
  for (size_t g = 0; g < s.groups; ++g) {
    kernels::fill_row_bounds(out.codes.as<int8_t>() + g * rows * cp, s.inputs, s.window.taps(), cp,
                             out.bounds.as<uint16_t>() + g * group_bounds);
  }
}

// Weights of +1 and -1 a second time, for counting.
void pack_bits(const Tensor& w, const SynapseShape& s, PackedWeights& out) {
  const size_t words = kernels::patch_words(s.inputs, s.window.taps()), group = s.group_padded() * words;
  const size_t tap_bits = kernels::tap_bytes(s.inputs) * 8;
  constexpr size_t kPad = kernels::kChannelPad;
  out.plus = AlignedBuffer(s.groups * group * sizeof(uint32_t));
  out.ones = AlignedBuffer(s.groups * s.group_padded() * sizeof(int32_t));
  for (size_t g = 0; g < s.groups; ++g) {
    uint32_t* to = out.plus.as<uint32_t>() + g * group;
    int32_t* ones = out.ones.as<int32_t>() + g * s.group_padded();
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      if (tensor::code_at(w, i) != 0) return;
      const size_t bit = tap * tap_bits + k;
      to[(c / kPad * words + bit / 32) * kPad + c % kPad] |= uint32_t{1} << (bit % 32);
      ++ones[c];
    });
  }
  const size_t block = words * kPad;
  kernels::kernels().prepare_count_b1(out.plus.as<uint32_t>(), s.groups * group / block, block,
                                      kernels::count_third(words) * kPad);
}

// Codes 0 and -1 that mean +1 and -1.
bool is_binary(const Tensor& w) { return w.encoding == Encoding::kOdd && w.bits == 1; }

// The weights themselves, [C][taps][inputs]; empty where a byte does not hold them.
std::vector<int8_t> values(const Tensor& w, size_t count) {
  std::vector<int8_t> out(count);
  for (size_t i = 0; i < count; ++i) {
    const int32_t q = tensor::code_at(w, i), value = w.encoding == Encoding::kOdd ? 2 * q + 1 : q;
    if (value < -128 || value > 127) return {};
    out[i] = static_cast<int8_t>(value);
  }
  return out;
}

// The largest tile that this layer is cut into, of four steps in which half of the inputs spike: a method
// that is not the fastest there is not laid out. Where samples have one pixel, those of a batch are a tile.
Tile large_tile(const Window& window) {
  constexpr size_t kSteps = 4;
  return {.count = std::min(window.pixels(), kRasterTile / kSteps), .steps = kSteps};
}
TileWork large_work(const SynapseShape& s, size_t samples = kRasterTile) {
  const bool vectors = s.window.in_h * s.window.in_w * s.window.kernel_h * s.window.kernel_w == 1;
  const Window window = vectors ? Window::same(samples) : s.window;
  return {window, large_tile(window), 0.5};
}

// Are sums by this method the fastest where neurons take them in lanes?
bool lanes_fastest(SumMethod method, const SynapseShape& s, const SumMethods& methods, const TileWork& work) {
  if (!methods.has_lanes(method) || s.window.pixels() == 1) return false;
  const LaneRows::Form form = lane_rows(s, Slot{}, methods).form(large_tile(s.window));
  const LaneChoice lanes =
      methods.lane_choice(work, form.rows, form.vectors(static_cast<size_t>(sum_costs().lanes)));
  return lanes.method == method && work.density > lanes.above;
}

// Without the zeros.
void pack_sparse(const std::vector<int8_t>& values, const SynapseShape& s, PackedWeights& out) {
  const auto zeros = static_cast<size_t>(std::count(values.begin(), values.end(), 0));
  if (zeros < values.size() / 2) return;
  const size_t group = values.size() / s.groups;
  for (size_t g = 0; g < s.groups; ++g) {
    out.sparse.push_back(
        kernels::sparse_codes(values.data() + g * group, s.group_channels(), s.window.taps(), s.inputs));
  }
  const SumMethods methods(s, out);
  const TileWork work = large_work(s);
  if (methods.fastest(work) != SumMethod::kSparse && !lanes_fastest(SumMethod::kSparse, s, methods, work)) {
    out.sparse.clear();
  }
}

// As tables, which take three or four bytes for a weight.
void pack_tables(const std::vector<int8_t>& values, const SynapseShape& s, PackedWeights& out) {
  constexpr size_t kMostBytes = size_t{4} << 20;  // what a cache can hold
  const size_t group = values.size() / s.groups, taps = s.window.taps(), width = kernels::kernels().lut_width;
  const size_t bytes =
      s.groups * s.group_padded() / kernels::kLutChannels * kernels::lut_block_bytes(s.inputs, taps, width);
  if (bytes > kMostBytes ||
      !kernels::fits_lut(values.data(), s.groups * s.group_channels(), taps, s.inputs, width)) {
    return;
  }
  for (size_t g = 0; g < s.groups; ++g) {
    out.tables.push_back(
        kernels::lut_codes(values.data() + g * group, s.group_channels(), taps, s.inputs, width));
  }
  const SumMethods methods(s, out);
  const TileWork work = large_work(s);
  if (methods.fastest(work) == SumMethod::kLookUp) {
    out.dense = AlignedBuffer();  // as slow whatever spikes
  } else if (!lanes_fastest(SumMethod::kLookUp, s, methods, work)) {
    out.tables.clear();
  }
}

// For dense products, on levels that have them. They cost the same whatever spikes, as leaving out zeros
// does: the slower of the two is of no use.
void pack_dense(const std::vector<int8_t>& values, const SynapseShape& s, PackedWeights& out) {
  const SumMethods methods(s, out);
  const TileWork work = large_work(s, 1);  // most vectors come alone: so much memory has to pay for one
  if (sum_costs().dense_tile == 0 ||
      methods.ns(SumMethod::kDense, work) >= methods.ns(methods.fastest(work), work)) {
    return;
  }
  out.sparse.clear();
  const size_t cp = s.group_padded();
  const kernels::DenseWeights w{nullptr, s.inputs, s.window.taps(), Raster::run_taps(s.window), cp};
  const size_t group = kernels::dense_bytes(w.inputs, w.taps, w.run_taps, cp);
  out.dense = AlignedBuffer(s.groups * group);
  for (size_t g = 0; g < s.groups; ++g) {
    int8_t* to = out.dense.as<int8_t>() + g * group;
    for_weights(s, g, [&](size_t tap, size_t k, size_t c, size_t i) {
      to[kernels::dense_weight(tap, k, c, w)] = values[i];
    });
  }
}

// Beside its bits, a large layer of tokens has rows to gather alone, else its weights would fill memory:
// where few spike, rows are the fastest, and where many do, counting takes about as long as products of tiles
// or tables.
void keep_rows(const SynapseShape& s, PackedWeights& out) {
  constexpr size_t kMostBytes = size_t{200} << 10;
  if (out.plus.size() == 0 || s.window.taps() > 1 || out.codes.size() <= kMostBytes) return;
  out.tables.clear();
  out.dense = AlignedBuffer();
}

}  // namespace

void pack_spike_weights(const Tensor& w, const SynapseShape& s, PackedWeights& out) {
  pack_rows(w, s, out);
  if (is_binary(w)) pack_bits(w, s, out);
  const std::vector<int8_t> all = values(w, s.channels * s.window.taps() * s.inputs);
  if (all.empty()) return;
  pack_sparse(all, s, out);
  pack_dense(all, s, out);
  pack_tables(all, s, out);
  keep_rows(s, out);
}

}  // namespace snncore::runtime
