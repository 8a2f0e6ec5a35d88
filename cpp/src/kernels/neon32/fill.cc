#include "kernels/fill.h"
#include "kernels/neon32/entries.h"

namespace snncore::kernels {

void fill_neon32(KernelTable& table) {
  table.isa = "neon32";
}

}  // namespace snncore::kernels
