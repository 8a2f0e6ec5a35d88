#include "kernels/fill.h"
#include "kernels/neon_dotprod/entries.h"

namespace snncore::kernels {

void fill_neon_dotprod(KernelTable& table) {
  table.isa = "neon_dotprod";
}

}  // namespace snncore::kernels
