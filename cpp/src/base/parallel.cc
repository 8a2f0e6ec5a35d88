#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/checked.h"

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

void check_threads(const std::string& op, int64_t threads) {
  require(threads >= 1 && threads <= kMaxThreads, ErrorCode::kInvalidArgument,
          op + ": expected 1 to " + std::to_string(kMaxThreads) + " threads, received " +
              std::to_string(threads));
}

struct WorkerPool::Shared {
  explicit Shared(size_t workers) : claims(workers) {}

  // Of a round: its number, how many threads are inside, and whether others may still enter.
  static constexpr uint64_t kOpen = 1, kInside = 2, kRound = uint64_t{1} << 32;
  static constexpr uint64_t round_of(uint64_t state) noexcept { return state / kRound; }
  static constexpr bool empty(uint64_t state) noexcept { return state % kRound < kInside; }

  Claims claims;
  Task task = nullptr;
  void* argument = nullptr;
  std::atomic<uint64_t> state{0};
  std::mutex mutex;
  std::condition_variable wake, done;
  bool stop = false;  // guarded by mutex
  std::vector<std::thread> threads;
  const uint64_t born = count_forks();

  [[nodiscard]] bool threads_are_gone() const noexcept {
    return born != forks.load(std::memory_order_relaxed);
  }

  void work(size_t worker) noexcept {
    claims.work(worker, [&](size_t first, size_t end) { task(argument, worker, first, end); });
  }

  // Waits for a round after `seen`; false: stop.
  bool await_round(uint64_t seen) {
    const auto begun = [&] { return round_of(state.load(std::memory_order_acquire)) != seen; };
    if (watch(begun)) return true;
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return stop || begun(); });
    return !stop;
  }

  // Enters a round unless all of its items are claimed.
  bool enter(uint64_t& seen) noexcept {
    uint64_t now = state.load(std::memory_order_acquire);
    seen = round_of(now);
    while ((now & kOpen) != 0) {
      if (state.compare_exchange_weak(now, now + kInside, std::memory_order_acq_rel)) {
        seen = round_of(now);
        return true;
      }
    }
    return false;
  }

  void leave() {
    const uint64_t now = state.fetch_sub(kInside, std::memory_order_acq_rel) - kInside;
    if ((now & kOpen) != 0 || !empty(now)) return;
    const std::lock_guard lock(mutex);
    done.notify_one();
  }

  void help(size_t worker) {
    for (uint64_t seen = 0; await_round(seen);) {
      if (!enter(seen)) continue;
      work(worker);
      leave();
    }
  }

  void open() {
    {
      const std::lock_guard lock(mutex);
      const uint64_t next = round_of(state.load(std::memory_order_relaxed)) + 1;
      state.store(next * kRound + kOpen, std::memory_order_release);
    }
    wake.notify_all();
  }

  // Waits for those who are inside.
  void close() {
    if (empty(state.fetch_and(~kOpen, std::memory_order_acq_rel))) return;
    const auto finished = [&] { return empty(state.load(std::memory_order_acquire)); };
    if (watch(finished)) return;
    std::unique_lock lock(mutex);
    done.wait(lock, finished);
  }

  void join() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    for (std::thread& thread : threads) thread.join();
  }
};

WorkerPool::WorkerPool(size_t workers) : shared_(std::make_unique<Shared>(std::max<size_t>(workers, 1))) {
  Shared* s = shared_.get();
  try {
    for (size_t w = 1; w < workers; ++w) s->threads.emplace_back([s, w] { s->help(w); });
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

size_t WorkerPool::workers() const noexcept { return shared_->claims.workers(); }

void WorkerPool::run(size_t items, Task task, void* argument) noexcept {
  Shared& s = *shared_;
  s.claims.reset(items);
  s.task = task;
  s.argument = argument;
  if (workers() == 1 || s.threads_are_gone()) return s.work(0);
  s.open();
  s.work(0);
  s.close();
}

void run_on_workers(size_t workers, size_t items, WorkerPool::Task task, void* argument) {
  if (items == 0) return;
  if (workers <= 1) return task(argument, 0, 0, items);
  // Never destroyed: at the end of a process, or in the child of a fork, nobody waits for its threads.
  static auto* const mutex = new std::mutex;
  static WorkerPool* kept = nullptr;
  static uint64_t born = 0;
  const std::unique_lock lock(*mutex, std::try_to_lock);
  if (!lock.owns_lock()) {
    WorkerPool(workers).run(items, task, argument);
    return;
  }
  const uint64_t now = count_forks();
  if (kept == nullptr || kept->workers() != workers || born != now) {
    auto next = std::make_unique<WorkerPool>(workers);
    delete kept;
    kept = next.release();
    born = now;
  }
  kept->run(items, task, argument);
}

}  // namespace snncore
