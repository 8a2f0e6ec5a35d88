// Kernel table's SumCosts, each from the difference of two layers that differ in what it is the cost of.
#include <algorithm>
#include <cstdio>

#include "frames.h"
#include "kernels/row_bounds.h"
#include "work.h"

namespace snncore::bench {
namespace {

using namespace kernels;

constexpr Layer kWide{32, 32, 128, 128}, kNarrow{32, 32, 32, 32}, kFlat{32, 32, 32, 128},
    kDeep{16, 16, 256, 256};

double real(size_t n) { return static_cast<double>(n); }

class Costs {
 public:
  explicit Costs(const KernelTable& table) : table_(table) {}

  SumCosts measure_all() {
    gather_rows();
    costs_.count_word_block = cost(ns(count(kWide)), kWide.pixels() * 9 * 4 * 4);
    sparse_sums();
    look_ups();
    return costs_;
  }

 private:
  [[nodiscard]] double ns(const Work& work) const { return measure(work, table_).best; }
  static float cost(double ns, size_t times) { return static_cast<float>(std::max(0.0, ns / real(times))); }

  // Rows of the rasters of a layer, and vectors of 32 lanes.
  static size_t rows(const Layer& l) {
    const size_t lines = std::min(l.height, kRasterPixels / kSteps / l.width);
    return l.height / lines * kSteps * (lines + 2) * (l.width + 2);
  }
  static double vectors(const Layer& l) { return real(kSteps * l.height * (l.width + 2)) / 32; }

  void gather_rows() {
    const double some = ns(gather(kWide, 1, "", 0.2)), many = ns(gather(kWide, 1, "", 0.5));
    const size_t parts = kWide.pixels() * 9, spikes = parts * 128 * 4;
    costs_.gather_spike_block = cost((many - some) / 0.3, spikes);
    costs_.gather_wide_block =
        cost((ns(gather(kWide, 128, "", 0.5)) - ns(gather(kWide, 128, "", 0.2))) / 0.3, spikes);
    const double wide = some / real(parts) - 0.2 * 128 * 4 * static_cast<double>(costs_.gather_spike_block);
    const double narrow_parts = real(code_parts(32, 9));
    const double narrow = ns(gather(kNarrow, 1, "", 0.2)) / (real(kNarrow.pixels()) * narrow_parts) -
                          0.2 * 288 / narrow_parts * static_cast<double>(costs_.gather_spike_block);
    costs_.gather_part_block = cost(wide - narrow, 3);
    costs_.gather_part = cost(narrow - static_cast<double>(costs_.gather_part_block), 1);
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
    const double tiles = real(kDeep.pixels()) / kRasterPixels;
    const double share = 1 - 32768 * tiles / real(rows(kDeep) * kDeep.inputs);
    costs_.sparse_code_far =
        cost((ns(sparse(kDeep, far, "")) - spread_and_put(kDeep) - all) / vectors(kDeep) / share,
             far.codes.size());
  }

  void look_ups() {
    const LutCodes narrow = random_tables(kNarrow, 8), wide = random_tables(kWide, 8);
    const auto looks = [](const Layer& l, const LutCodes& t) {
      return real(9 * lut_fours(l.inputs) * l.outputs) + kRunLooks * real(t.runs.size() * kLutChannels);
    };
    // Two layers, two numbers: sums to put, tables to look up.
    const auto rest = [&](const Layer& l, const LutCodes& t) {
      return ns(look_up(l, t, "")) - real(rows(l) * lut_fours(l.inputs)) * static_cast<double>(costs_.spread);
    };
    const double few = rest(kNarrow, narrow), many = rest(kWide, wide);
    const double ratio = real(kWide.outputs) / real(kNarrow.outputs),
                 some = vectors(kNarrow) * looks(kNarrow, narrow);
    costs_.lut_look = cost((many - few * ratio) / (vectors(kWide) * looks(kWide, wide) - some * ratio), 1);
    costs_.lut_put =
        cost(few - some * static_cast<double>(costs_.lut_look), kNarrow.pixels() * kNarrow.outputs);
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
  number("gather_part", c.gather_part, ", ");
  number("gather_part_block", c.gather_part_block, ", ");
  number("gather_spike_block", c.gather_spike_block, ", ");
  number("gather_wide_block", c.gather_wide_block, ", ");
  number("count_word_block", c.count_word_block, ", ");
  number("spread", c.spread, ", ");
  number("sparse_put", c.sparse_put, ", ");
  number("sparse_code", c.sparse_code, ", ");
  number("sparse_code_far", c.sparse_code_far, ", ");
  number("lut_put", c.lut_put, ", ");
  number("lut_look", c.lut_look, "}\n");
}

}  // namespace snncore::bench
