#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "base/align.h"
#include "base/bits.h"
#include "base/checked.h"
#include "base/parallel.h"

namespace snncore {
namespace {

TEST_CASE("words and tails") {
  CHECK(words_for(0) == 0);
  CHECK(words_for(1) == 1);
  CHECK(words_for(64) == 1);
  CHECK(words_for(65) == 2);
  CHECK(tail_mask(64) == ~uint64_t{0});
  CHECK(tail_mask(1) == 1);
  CHECK(tail_mask(127) == (uint64_t{1} << 63) - 1);
}

TEST_CASE("sizes that overflow are errors") {
  CHECK(checked_mul(1 << 20, 1 << 20, "x") == int64_t{1} << 40);
  CHECK_THROWS_AS(checked_mul(int64_t{1} << 40, int64_t{1} << 40, "x"), Error);
  CHECK_THROWS_AS(checked_add(INT64_MAX, 1, "x"), Error);
  CHECK_THROWS_AS(element_count({2, -1}, "x"), Error);
}

bool zero(const AlignedBuffer& buffer, size_t from) {
  return std::all_of(buffer.data() + from, buffer.data() + buffer.allocated(),
                     [](std::byte b) { return b == std::byte{0}; });
}

TEST_CASE("buffers start on a line, end in zeros and say what they take") {
  constexpr size_t kLarge = AlignedBuffer::kLargeFrom;
  const auto start = [](const AlignedBuffer& buffer) { return reinterpret_cast<uintptr_t>(buffer.data()); };
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{64}, kLarge - 1, kLarge, kLarge + 1}) {
    const AlignedBuffer usual(bytes), large = AlignedBuffer::in_large_pages(bytes);
    const AlignedBuffer fill = AlignedBuffer::to_fill(bytes),
                        parts = AlignedBuffer::of_parts(align_up(bytes));
    for (const AlignedBuffer* buffer : {&usual, &large, &fill}) {
      CHECK(buffer->size() == bytes);
      CHECK(buffer->allocated() == align_up(bytes) + kTailPad);
      CHECK(start(*buffer) % kernels::kAlign == 0);
    }
    CHECK(parts.allocated() == align_up(bytes));
    CHECK(start(parts) % kernels::kAlign == 0);
    CHECK(start(large) % (bytes < kLarge ? kernels::kAlign : size_t{2} << 20) == 0);
    CHECK(zero(usual, 0));
    CHECK(zero(large, 0));
    CHECK(zero(fill, bytes));
    CHECK(zero(parts, 0));
  }
}

// How often each item was taken, and whether by a worker that there is.
struct Calls {
  Calls(size_t items, size_t workers) : of(items), most(workers) {}
  static void add(void* self, size_t worker, size_t first, size_t end) noexcept {
    auto& calls = *static_cast<Calls*>(self);
    if (worker >= calls.most) calls.strangers = true;
    for (size_t i = first; i < end; ++i) calls.of[i].fetch_add(1);
  }
  [[nodiscard]] bool all(int count) const {
    return !strangers && std::ranges::all_of(of, [&](const auto& calls) { return calls == count; });
  }
  std::vector<std::atomic<int>> of;
  size_t most;
  std::atomic<bool> strangers = false;
};

TEST_CASE("every item is taken once a round") {
  for (const size_t workers : {size_t{1}, size_t{2}, size_t{5}}) {
    for (const size_t items : {size_t{0}, size_t{1}, size_t{4}, size_t{333}}) {
      WorkerPool pool(workers);
      Calls of_pool(items, workers), of_shared(items, workers);
      for (int round = 0; round < 300; ++round) {
        pool.run(items, &Calls::add, &of_pool);
        run_on_workers(workers, items, &Calls::add, &of_shared);
      }
      CHECK(of_pool.all(300));
      CHECK(of_shared.all(300));
    }
  }
}

TEST_CASE("a worker alone takes its own items first, then those of the others") {
  Claims claims(3);
  for (int round = 0; round < 2; ++round) {
    std::vector<size_t> taken;
    claims.reset(8);
    claims.work(1, [&](size_t first, size_t end) {
      for (; first < end; ++first) taken.push_back(first);
    });
    CHECK(taken == std::vector<size_t>{2, 3, 4, 5, 6, 7, 0, 1});
    claims.work(0, [&](size_t /*first*/, size_t /*end*/) { taken.clear(); });
    CHECK(taken.size() == 8);
  }
}

TEST_CASE("callers at the same time all get their work done") {
  std::vector<std::thread> callers;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      Calls calls(20, 3);
      for (int round = 0; round < 50; ++round) run_on_workers(3, 20, &Calls::add, &calls);
      if (!calls.all(50)) ++wrong;
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

#if defined(__unix__)
TEST_CASE("the child of a fork has no threads and does their work itself") {
  auto pool = std::make_unique<WorkerPool>(3);
  Calls before(7, 3);
  pool->run(7, &Calls::add, &before);
  run_on_workers(3, 7, &Calls::add, &before);
  const pid_t child = fork();
  if (child == 0) {
    Calls calls(7, 3);
    pool->run(7, &Calls::add, &calls);
    run_on_workers(3, 7, &Calls::add, &calls);  // a fresh pool
    pool.reset();
    _exit(calls.all(2) ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  pool->run(7, &Calls::add, &before);
  CHECK(before.all(3));
}
#endif

}  // namespace
}  // namespace snncore
