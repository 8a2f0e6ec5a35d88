#include <doctest/doctest.h>

#include <atomic>
#include <vector>

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

TEST_CASE("every worker is called once a round") {
  for (const size_t workers : {size_t{1}, size_t{2}, size_t{5}}) {
    WorkerPool pool(workers);
    struct Calls {
      std::vector<std::atomic<int>> of;
    } calls{std::vector<std::atomic<int>>(workers)};
    for (int round = 0; round < 300; ++round) {
      pool.run([](void* argument,
                  size_t worker) noexcept { static_cast<Calls*>(argument)->of[worker].fetch_add(1); },
               &calls);
    }
    for (const auto& count : calls.of) CHECK(count == 300);
  }
}

}  // namespace
}  // namespace snncore
