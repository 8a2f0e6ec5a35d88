// Items over workers, where an item may throw.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>

#include "base/parallel.h"

namespace snncore::lsh {

/// Calls each(worker, item) for all items, whichever worker is free. Rethrows the first exception, after
/// which no item is begun.
template <typename F>
void for_each_item(size_t items, size_t workers, F&& each) {
  struct Shared {
    F& each;
    std::atomic<bool> stop{false};
    std::mutex mutex{};
    std::exception_ptr failed{};
  } shared{each};
  const auto work = [](void* argument, size_t worker, size_t item, size_t end) noexcept {
    auto& s = *static_cast<Shared*>(argument);
    for (; item < end && !s.stop.load(std::memory_order_relaxed); ++item) {
      try {
        s.each(worker, item);
      } catch (...) {
        const std::lock_guard lock(s.mutex);
        if (!s.failed) s.failed = std::current_exception();
        s.stop.store(true, std::memory_order_relaxed);
      }
    }
  };
  run_on_workers(workers < items ? workers : items, items, work, &shared);
  if (shared.failed) std::rethrow_exception(shared.failed);
}

}  // namespace snncore::lsh
