#include "base/parallel.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace snncore {
namespace {

// About the time one small layer takes; after it a worker costs nothing.
constexpr int kSpins = 4000;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

struct WorkerPool::Shared {
  std::mutex mutex;
  std::condition_variable wake, done;
  std::atomic<uint64_t> round{0};
  std::atomic<size_t> running{0};
  bool stop = false;  // guarded by mutex
  Task task = nullptr;
  void* argument = nullptr;
  std::vector<std::thread> threads;

  // Returns the new round, or 0 to stop.
  uint64_t await_round(uint64_t seen) {
    for (int i = 0; i < kSpins; ++i) {
      if (round.load(std::memory_order_acquire) != seen) break;
      relax();
    }
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return stop || round.load(std::memory_order_relaxed) != seen; });
    return stop ? 0 : round.load(std::memory_order_relaxed);
  }

  void join() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  void finish() {
    if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      const std::lock_guard lock(mutex);
      done.notify_one();
    }
  }
};

WorkerPool::WorkerPool(size_t workers)
    : workers_(workers == 0 ? 1 : workers), shared_(std::make_unique<Shared>()) {
  Shared* s = shared_.get();
  try {
    for (size_t w = 1; w < workers_; ++w) {
      s->threads.emplace_back([s, w] {
        for (uint64_t seen = 0; (seen = s->await_round(seen)) != 0;) {
          s->task(s->argument, w);
          s->finish();
        }
      });
    }
  } catch (...) {
    s->join();
    throw;
  }
}

WorkerPool::~WorkerPool() { shared_->join(); }

void WorkerPool::run(Task task, void* argument) noexcept {
  if (workers_ == 1) {
    task(argument, 0);
    return;
  }
  Shared& s = *shared_;
  {
    const std::lock_guard lock(s.mutex);
    s.task = task;
    s.argument = argument;
    s.running.store(workers_ - 1, std::memory_order_relaxed);
    s.round.fetch_add(1, std::memory_order_release);
  }
  s.wake.notify_all();
  task(argument, 0);
  for (int i = 0; i < kSpins; ++i) {
    if (s.running.load(std::memory_order_acquire) == 0) return;
    relax();
  }
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, [&] { return s.running.load(std::memory_order_acquire) == 0; });
}

}  // namespace snncore
