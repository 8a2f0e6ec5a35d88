#include "kernels/fill.h"
#include "kernels/avx512/entries.h"

namespace snncore::kernels {

void fill_avx512(KernelTable& table) {
  table.isa = "avx512";
}

}  // namespace snncore::kernels
