// Fixed work over a few threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace snncore {

/// Runs a task once for every worker and waits for all. Workers sleep between calls, after a short spin that
/// covers the gap between two layers. One caller at a time.
class WorkerPool {
 public:
  /// `workers` counts the calling thread; 1 starts no thread. Throws std::system_error when the system has no
  /// more threads.
  explicit WorkerPool(size_t workers);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] size_t workers() const noexcept { return workers_; }

  using Task = void (*)(void* argument, size_t worker) noexcept;
  /// In the child of a fork, where the threads are gone, the caller does what they did.
  void run(Task task, void* argument) noexcept;

 private:
  struct Shared;
  size_t workers_;
  std::unique_ptr<Shared> shared_;
};

/// Runs a task as WorkerPool::run does, on threads that such calls share: started by the first call and kept
/// as long as the number stays the same. A call made while another one runs gets threads of its own. Throws
/// std::system_error when the system has no more threads.
void run_on_workers(size_t workers, WorkerPool::Task task, void* argument);

}  // namespace snncore
