// Items over workers, where an item may throw.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>

#include "base/parallel.h"

namespace snncore::lsh {

/// Calls each(worker, item) for all items, the next free worker taking the next item. Rethrows the first
/// exception, after which no item is begun.
template <typename F>
void for_each_item(size_t items, size_t workers, F&& each) {
  struct Shared {
    F& each;
    size_t items;
    std::atomic<size_t> next{0};
    std::mutex mutex{};
    std::exception_ptr failed{};
  } shared{each, items};
  const auto work = [](void* argument, size_t worker) noexcept {
    auto& s = *static_cast<Shared*>(argument);
    for (size_t item = 0; (item = s.next.fetch_add(1, std::memory_order_relaxed)) < s.items;) {
      try {
        s.each(worker, item);
      } catch (...) {
        const std::lock_guard lock(s.mutex);
        if (!s.failed) s.failed = std::current_exception();
        s.next.store(s.items, std::memory_order_relaxed);
      }
    }
  };
  run_on_workers(workers < items ? workers : items, work, &shared);
  if (shared.failed) std::rethrow_exception(shared.failed);
}

}  // namespace snncore::lsh
