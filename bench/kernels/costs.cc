// Kernel table's SumCosts, each from the difference of two layers that differ in what it is the cost of.
#include <algorithm>
#include <cstdio>

#include "frames.h"
#include "kernels/row_bounds.h"
#include "runtime/raster.h"
#include "runtime/spike_rows.h"
#include "work.h"

namespace snncore::bench {
namespace {

using namespace kernels;

constexpr Layer kWide{32, 32, 128, 128}, kNarrow{32, 32, 32, 32}, kFlat{32, 32, 32, 128},
    kDeep{16, 16, 256, 256}, kFew{32, 32, 128, 32}, kFar{4, 4, 512, 512};

double real(size_t n) { return static_cast<double>(n); }

class Costs {
 public:
  explicit Costs(const KernelTable& table) : table_(table) { costs_.lanes = table.costs.lanes; }

  SumCosts measure_all() {
    find_rows();
    gather_rows();
    costs_.count_word_block = cost(ns(count(kWide)), kWide.pixels() * 9 * 4 * 4);
    sparse_sums();
    look_ups();
    if (table_.costs.dense_tile > 0) dense_products();
    return costs_;
  }

 private:
  [[nodiscard]] double ns(const Work& work) const { return measure(work, table_).best; }
  static float cost(double ns, size_t times) { return static_cast<float>(std::max(0.0, ns / real(times))); }

  // A session's rasters: whole lines, all steps.
  static runtime::Tile raster_tile(const Layer& l) {
    return {.count = std::min(l.height, kRasterPixels / kSteps / l.width) * l.width, .steps = kSteps};
  }
  static size_t tiles(const Layer& l) { return l.height * l.width / raster_tile(l).count; }
  [[nodiscard]] size_t rows(const Layer& l, bool columns) const {
    return tiles(l) * runtime::Raster(window(l), raster_tile(l), columns).rows();
  }
  [[nodiscard]] size_t rows(const Layer& l) const { return rows(l, table_.columns); }
  [[nodiscard]] double vectors(const Layer& l) const {
    const auto lanes = static_cast<int64_t>(costs_.lanes);
    const runtime::Window w = window(l);
    return real(tiles(l) * runtime::Raster(w, raster_tile(l), table_.columns).vectors(raster_tile(l), lanes));
  }

  // The same tiles as rows that taps find.
  void find_rows() {
    const Layer& l = kWide;
    const runtime::SynapseShape shape{.window = window(l), .inputs = l.inputs, .channels = l.outputs};
    const size_t row_bytes = l.inputs / 8, pixels = l.height * l.width;
    const runtime::Slot slot{.row_bytes = row_bytes,
                             .pixels = pixels,
                             .channels = l.inputs,
                             .height = l.height,
                             .width = l.width,
                             .steps = kSteps};
    const runtime::SpikeRows reader(shape, slot);
    const runtime::Tile tile = raster_tile(l);
    auto memory = std::make_shared<AlignedBuffer>(reader.bytes(tile.count, kSteps));
    auto spikes = std::make_shared<AlignedBuffer>(slot.bytes());
    const Work work{"rows", 0, 0, [&, memory, spikes](const KernelTable&) {
                      runtime::Frame frame;
                      frame.scratch = spikes->data();
                      for (runtime::Tile t = tile; t.first < pixels; t.first += t.count)
                        keep(reader.read(frame, t, 0, memory->data()).row_count);
                    }};
    costs_.tap = cost(ns(work), l.pixels() * 9);
  }

  void gather_rows() {
    const double some = ns(gather(kWide, 1, "", 0.2)), many = ns(gather(kWide, 1, "", 0.5));
    const size_t spikes = kWide.pixels() * 9 * 128 * 4;
    costs_.gather_spike_block = cost((many - some) / 0.3, spikes);
    costs_.gather_wide_block =
        cost((ns(gather(kWide, 128, "", 0.5)) - ns(gather(kWide, 128, "", 0.2))) / 0.3, spikes);
    // Parts without their spikes: of one tap; of several taps, with one block and with four.
    const auto part = [&](double ns, double parts_of_pixel, const Layer& l) {
      const double blocks = real(l.outputs / kChannelPad), listed = 0.2 * real(9 * l.inputs) / parts_of_pixel;
      return ns / (real(l.pixels()) * parts_of_pixel) -
             listed * blocks * static_cast<double>(costs_.gather_spike_block);
    };
    const double joined = real(CodeParts{kNarrow.inputs, 9, kNarrow.outputs}.count());
    const double narrow = part(ns(gather(kNarrow, 1, "", 0.2)), joined, kNarrow);
    const double flat = part(ns(gather(kFlat, 1, "", 0.2)), joined, kFlat);
    costs_.gather_part_block = cost(flat - narrow, 3);
    costs_.gather_part = cost(part(some, 9, kWide) - 4 * static_cast<double>(costs_.gather_part_block), 1);
  }

  // What is neither a code nor a chunk.
  [[nodiscard]] double spread_and_put(const Layer& l) const {
    return real(rows(l) * l.inputs) * static_cast<double>(costs_.spread) + put(l);
  }
  [[nodiscard]] double put(const Layer& l) const {
    return real(l.pixels() * l.outputs) * static_cast<double>(costs_.sparse_put);
  }

  void sparse_sums() {
    const auto silent = [&](const Layer& l) { return ns(sparse(l, pruned_codes(l, 1, INT32_MAX), "")); };
    const double few = silent(kNarrow), many = silent(kFlat);
    costs_.sparse_put = cost(many - few, kFlat.pixels() * (kFlat.outputs - kNarrow.outputs));
    costs_.spread = cost(few - put(kNarrow), rows(kNarrow) * kNarrow.inputs);
    const auto codes_of = [](const SparseCodes& s) {
      return real(s.codes.size()) * (1 + kChunkCodes / real(s.chunk));
    };
    const SparseCodes near = pruned_codes(kFlat, 8, 10), far = pruned_codes(kDeep, 8, 10);
    costs_.sparse_code = cost((ns(sparse(kFlat, near, "")) - many) / vectors(kFlat) / codes_of(near), 1);
    const double all = static_cast<double>(costs_.sparse_code) * codes_of(far) * vectors(kDeep);
    const double count = real(tiles(kDeep));
    const double share = 1 - 32768 * count / real(rows(kDeep) * kDeep.inputs);
    costs_.sparse_code_far =
        cost((ns(sparse(kDeep, far, "")) - spread_and_put(kDeep) - all) / vectors(kDeep) / share,
             far.codes.size());
  }

  void look_ups() {
    const LutCodes narrow = random_tables(kNarrow, 8, table_.lut_width),
                   wide = random_tables(kWide, 8, table_.lut_width);
    const auto looks = [](const Layer& l, const LutCodes& t) {
      return real(9 * lut_tables(l.inputs, t.width) * l.outputs) +
             kRunLooks * real(t.runs.size() * kLutChannels);
    };
    // Two layers, two numbers: sums to put, tables to look up.
    const auto rest = [&](const Layer& l, const LutCodes& t) {
      return ns(look_up(l, 8, "")) -
             real(rows(l) * lut_tables(l.inputs, t.width)) * static_cast<double>(costs_.spread);
    };
    const double few = rest(kNarrow, narrow), many = rest(kWide, wide);
    const double ratio = real(kWide.outputs) / real(kNarrow.outputs),
                 some = vectors(kNarrow) * looks(kNarrow, narrow);
    costs_.lut_look = cost((many - few * ratio) / (vectors(kWide) * looks(kWide, wide) - some * ratio), 1);
    costs_.lut_put =
        cost(few - some * static_cast<double>(costs_.lut_look), kNarrow.pixels() * kNarrow.outputs);
  }

  void dense_products() {
    const auto weights = [](const Layer& l) {
      return real(dense_bytes(l.inputs, 9, 3, l.outputs) / kDenseTile);
    };
    // Products and tiles of sums.
    const auto products = [&](const Layer& l) {
      const size_t pixels =
          tiles(l) * runtime::Raster(window(l), raster_tile(l), false).vectors(raster_tile(l), kDensePixels);
      return real(pixels) * (weights(l) + real(l.outputs / kDenseChannels));
    };
    const double few = ns(dense(kFew)), many = ns(dense(kWide));
    costs_.dense_tile = cost((many - few) / (products(kWide) - products(kFew)), 1);
    const auto rest = [&](const Layer& l, double all) {
      return std::max(0.0, all - products(l) * static_cast<double>(costs_.dense_tile));
    };
    costs_.dense_spread = cost(rest(kFew, few), rows(kFew, false) * kFew.inputs / 64);
    const double spread =
        real(rows(kFar, false) * kFar.inputs / 64) * static_cast<double>(costs_.dense_spread);
    const double share = 1 - real(size_t{1} << 20) / (weights(kFar) * real(kDenseTile));
    costs_.dense_far = cost((rest(kFar, ns(dense(kFar))) - spread) / share / weights(kFar), tiles(kFar));
  }

  const KernelTable& table_;
  SumCosts costs_{};
};

}  // namespace

void print_costs(const KernelTable& table) {
  const SumCosts c = Costs(table).measure_all();
  const auto number = [](const char* name, float value, const char* behind) {
    std::printf(".%s = %.3gF%s", name, static_cast<double>(value), behind);
  };
  std::printf("%s: {", table.isa);
  number("tap", c.tap, ", ");
  number("gather_part", c.gather_part, ", ");
  number("gather_part_block", c.gather_part_block, ", ");
  number("gather_spike_block", c.gather_spike_block, ", ");
  number("gather_wide_block", c.gather_wide_block, ", ");
  number("count_word_block", c.count_word_block, ", ");
  number("lanes", c.lanes, ", ");
  number("spread", c.spread, ", ");
  number("sparse_put", c.sparse_put, ", ");
  number("sparse_code", c.sparse_code, ", ");
  number("sparse_code_far", c.sparse_code_far, ", ");
  number("lut_put", c.lut_put, ", ");
  number("lut_look", c.lut_look, ", ");
  number("dense_spread", c.dense_spread, ", ");
  number("dense_tile", c.dense_tile, ", ");
  number("dense_far", c.dense_far, "}\n");
}

}  // namespace snncore::bench
