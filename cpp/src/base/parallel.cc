#include "base/parallel.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace snncore {
namespace {

// How often this process has been forked off: threads do not come along.
std::atomic<uint64_t> forks{0};

uint64_t count_forks() {
#if defined(__unix__) || defined(__APPLE__)
  [[maybe_unused]] static const int registered =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
#endif
  return forks.load(std::memory_order_relaxed);
}

using std::chrono::steady_clock;

// Waking a sleeping core takes longer than most layers (0.1 ms and more in a virtual machine), so a thread
// watches for a moment before it sleeps: first without leaving the core, then letting others have it.
constexpr int kSpins = 500;
constexpr std::chrono::microseconds kWatch{1000};

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

// True as soon as `seen` is, false after kWatch.
template <class Condition>
bool watch(Condition seen) noexcept {
  for (int i = 0; i < kSpins; ++i) {
    if (seen()) return true;
    relax();
  }
  for (const auto end = steady_clock::now() + kWatch; steady_clock::now() < end;) {
    if (seen()) return true;
    std::this_thread::yield();
  }
  return false;
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
  const uint64_t born = count_forks();

  [[nodiscard]] bool threads_are_gone() const noexcept {
    return born != forks.load(std::memory_order_relaxed);
  }

  // Returns the new round, or 0 to stop.
  uint64_t await_round(uint64_t seen) {
    watch([&] { return round.load(std::memory_order_acquire) != seen; });
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

WorkerPool::~WorkerPool() {
  if (shared_->threads_are_gone()) {
    (void)shared_.release();  // handles of threads that are not there can neither be joined nor destroyed
    return;
  }
  shared_->join();
}

void WorkerPool::run(Task task, void* argument) noexcept {
  if (workers_ == 1 || shared_->threads_are_gone()) {
    for (size_t worker = 0; worker < workers_; ++worker) task(argument, worker);
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
  const auto finished = [&s] { return s.running.load(std::memory_order_acquire) == 0; };
  if (watch(finished)) return;
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, finished);
}

void run_on_workers(size_t workers, WorkerPool::Task task, void* argument) {
  if (workers <= 1) return task(argument, 0);
  // Never destroyed: at the end of a process, or in the child of a fork, nobody waits for its threads.
  static auto* const mutex = new std::mutex;
  static WorkerPool* kept = nullptr;
  static uint64_t born = 0;
  const std::unique_lock lock(*mutex, std::try_to_lock);
  if (!lock.owns_lock()) {
    WorkerPool(workers).run(task, argument);
    return;
  }
  const uint64_t now = count_forks();
  if (kept == nullptr || kept->workers() != workers || born != now) {
    auto next = std::make_unique<WorkerPool>(workers);
    delete kept;
    kept = next.release();
    born = now;
  }
  kept->run(task, argument);
}

}  // namespace snncore
