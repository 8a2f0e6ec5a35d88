#include <algorithm>
#include <cstdio>

#include "kernels/row_bounds.h"
#include "work.h"

namespace snncore::bench {

using namespace kernels;

// Kernel table's SumCosts from four layers: a slope over the spikes, then two widths, then a count.
void print_costs(const KernelTable& table) {
  const Layer wide{32, 32, 128, 128}, narrow{32, 32, 32, 32};
  const auto ns = [&](const Work& work) { return measure(work, table).best; };
  const double pixels = kSteps * 32 * 32, sparse = ns(gather(wide, 1, "", 0.2)),
               dense = ns(gather(wide, 1, "", 0.5));
  const double spike = (dense - sparse) / (0.3 * pixels * 9 * 128 * 4);
  const double wide_part = sparse / (pixels * 9) - 0.2 * 128 * 4 * spike;
  const double narrow_parts = static_cast<double>(code_parts(32, 9));
  const double narrow_part =
      ns(gather(narrow, 1, "", 0.2)) / (pixels * narrow_parts) - 0.2 * 288 / narrow_parts * spike;
  const double block = std::max(0.0, (wide_part - narrow_part) / 3);
  const double word = ns(count(wide)) / (pixels * 9 * 4 * 4);
  std::printf("%-13s {%.2fF, %.2fF, %.3fF, %.2fF}\n", table.isa, narrow_part - block, block, spike, word);
}

}  // namespace snncore::bench
