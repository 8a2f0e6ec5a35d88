// Items over a few threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace snncore {

/// Threads of one call.
inline constexpr int64_t kMaxThreads = 256;

/// Throws Error(kInvalidArgument), whose message starts with `op`, unless the number is 1..kMaxThreads.
void check_threads(const std::string& op, int64_t threads);

/// Items that workers claim a few at a time: those of their own share first, which lie where they did in the
/// call before, then what others have left. Who computes an item makes no difference to it.
class Claims {
 public:
  explicit Claims(size_t workers) : shares_(workers) {}

  [[nodiscard]] size_t workers() const noexcept { return shares_.size(); }
  /// Before the workers are told of the items.
  void reset(size_t items) noexcept {
    const size_t all = workers();
    for (size_t w = 0; w < all; ++w) {
      const size_t first = items * w / all, end = items * (w + 1) / all;
      shares_[w].few = all == 1 ? std::max<size_t>(items, 1) : std::max<size_t>((end - first) / kClaims, 1);
      shares_[w].end = end;
      shares_[w].next.store(first, std::memory_order_relaxed);
    }
  }
  /// Calls each(first, end) until no item is left.
  template <typename Each>
  void work(size_t worker, const Each& each) noexcept {
    for (size_t i = 0; i < workers(); ++i) {
      Share& share = shares_[(worker + i) % workers()];
      for (size_t first; (first = share.next.fetch_add(share.few, std::memory_order_relaxed)) < share.end;) {
        each(first, std::min(first + share.few, share.end));
      }
    }
  }

 private:
  static constexpr size_t kClaims = 8;  // how often a worker asks for items of its own, about
  struct Share {
    std::atomic<size_t> next{0};  // from here on nobody has claimed them
    size_t few = 1, end = 0;
    std::byte apart[64] = {};  // no two in a line of a cache
  };
  std::vector<Share> shares_;
};

/// Threads that take items together. The caller takes them, too, and waits for nobody who has not come: a
/// worker that is asleep, or gets no core before all items are claimed, delays no call. Workers sleep between
/// calls, after a short spin that covers the gap between two layers. One caller at a time.
class WorkerPool {
 public:
  /// `workers` counts the calling thread; 1 starts no thread. Throws std::system_error when the system has no
  /// more threads.
  explicit WorkerPool(size_t workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] size_t workers() const noexcept;

  using Task = void (*)(void* argument, size_t worker, size_t first, size_t end) noexcept;
  /// Calls the task for all items, some from `first` to before `end` at a time, and returns when all are
  /// done. In the child of a fork, where the threads are gone, the caller takes all of them.
  void run(size_t items, Task task, void* argument) noexcept;

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

/// Does what WorkerPool::run does, on threads that such calls share: started by the first call and kept as
/// long as the number stays the same. A call made while another one runs gets threads of its own. Throws
/// std::system_error when the system has no more threads.
void run_on_workers(size_t workers, size_t items, WorkerPool::Task task, void* argument);

}  // namespace snncore
