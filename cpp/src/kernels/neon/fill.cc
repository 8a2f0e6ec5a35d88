#include "kernels/fill.h"
#include "kernels/neon/entries.h"

namespace snncore::kernels {

void fill_neon(KernelTable& table) {
  table.isa = "neon";
}

}  // namespace snncore::kernels
