#include "runtime/skips.h"

#include <atomic>

namespace snncore::runtime {
namespace {

std::atomic<bool> skipping{true};

}  // namespace

bool skips() noexcept { return skipping.load(std::memory_order_relaxed); }
void set_skips(bool on) noexcept { skipping.store(on, std::memory_order_relaxed); }

}  // namespace snncore::runtime
