#include <algorithm>
#include <array>
#include <barrier>
#include <thread>
#include <vector>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "../machine.h"
#include "base/align.h"
#include "limit.h"

namespace snncore::bench {

#if defined(__x86_64__)
bool has_avx2() { return __builtin_cpu_supports("avx2"); }
bool has_avx512() {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vpopcntdq") &&
         __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni");
}
#else
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif
#if defined(__aarch64__) && defined(__linux__)
bool has_dotprod() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
#else
bool has_dotprod() { return false; }
#endif

namespace {

constexpr size_t kRepeats = 7;
constexpr double kWarmNs = 5e6;

using Times = std::array<double, kRepeats>;

// One thread's share: every repeat starts when all threads are ready.
void work(const Limit& limit, std::barrier<>& together, Times& rates) {
  AlignedBuffer data(limit.bytes + 64);
  auto* words = data.as<uint64_t>();
  uint64_t z = 1;
  for (size_t i = 0; i < limit.bytes / 8; ++i) words[i] = z = z * 6364136223846793005U + 1442695040888963407U;
  Lane lane{reinterpret_cast<std::byte*>(words), limit.bytes, {}};
  const auto timed = [&](size_t rounds) {
    const double start = cpu_ns();
    limit.run(lane, rounds);
    return cpu_ns() - start;
  };
  size_t rounds = 1;
  while (timed(rounds) < kWarmNs) rounds *= 2;
  for (double& rate : rates) {
    together.arrive_and_wait();
    rate = limit.operations * static_cast<double>(rounds) / timed(rounds) * 1e9;
  }
}

}  // namespace

Rate measure(const Limit& limit, size_t threads) {
  std::vector<Times> rates(threads);
  std::barrier together(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back([&, i] { work(limit, together, rates[i]); });
  work(limit, together, rates[0]);
  for (std::thread& t : others) t.join();
  Times sums{};
  for (const Times& each : rates) {
    for (size_t i = 0; i < kRepeats; ++i) sums[i] += each[i];
  }
  std::sort(sums.begin(), sums.end());
  return {sums.back(), sums[kRepeats / 2]};
}

std::vector<Limit> all_limits(size_t threads) {
  std::vector<Limit> limits;
  add_popcount(limits);
  add_bytes(limits);
  add_lookup(limits);
  add_dot(limits);
  add_lif(limits);
  add_read(limits, threads);
  return limits;
}

}  // namespace snncore::bench
