// The ceilings of this machine, for every level that its CPU has: what shares of a limit in
// docs/performance.md are shares of. Rates are operations per second of thread CPU time, best and median of
// 7; with several threads, which start together, the sum of their rates.
//   bench_limits [--filter TEXT] [--threads 1,2] [--json]
#include <algorithm>
#include <array>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "base/align.h"
#include "limits/limit.h"
#include "machine.h"

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

struct Options {
  std::string filter;
  std::vector<size_t> threads = {1};
  bool json = false;
};

struct Rate {
  double best, median;
};

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

std::vector<size_t> numbers(const std::string& text) {
  std::vector<size_t> found;
  for (const char* p = text.c_str(); *p != 0;) {
    char* end = nullptr;
    const unsigned long n = std::strtoul(p, &end, 10);
    if (end == p || n < 1 || n > 256) return {};
    found.push_back(n);
    p = *end == ',' ? end + 1 : end;
  }
  return found;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--json") {
      options.json = true;
    } else if (arg == "--filter" && i + 1 < argc) {
      options.filter = argv[++i];
    } else if (arg == "--threads" && i + 1 < argc) {
      options.threads = numbers(argv[++i]);
      if (options.threads.empty()) return false;
    } else {
      return false;
    }
  }
  return true;
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

void print(const Limit& limit, size_t threads, const Rate& rate, bool json, bool first) {
  if (json) {
    std::printf(
        "%s\n  {\"name\": \"%s\", \"isa\": \"%s\", \"threads\": %zu, \"unit\": \"%s\", \"best\": %.6g, "
        "\"median\": %.6g}",
        first ? "" : ",", limit.name, limit.level, threads, limit.unit, rate.best, rate.median);
  } else {
    std::printf("%-26s %-13s %2zu thread%s %9.1f G%s (median %.1f)\n", limit.name, limit.level, threads,
                threads == 1 ? " " : "s", rate.best / 1e9, limit.unit, rate.median / 1e9);
  }
  std::fflush(stdout);
}

void run(const Options& options) {
  if (options.json) {
    std::printf("{\"cpu\": \"%s\", \"cores\": %u, \"compiler\": \"%s\", \"results\": [", cpu_name().c_str(),
                std::thread::hardware_concurrency(), __VERSION__);
  }
  bool first = true;
  for (const size_t threads : options.threads) {
    for (const Limit& limit : all_limits(threads)) {
      if (std::string_view(limit.name).find(options.filter) == std::string_view::npos) continue;
      print(limit, threads, measure(limit, threads), options.json, first);
      first = false;
    }
  }
  if (options.json) std::printf("\n]}\n");
}

}  // namespace
}  // namespace snncore::bench

int main(int argc, char** argv) {
  snncore::bench::Options options;
  if (!snncore::bench::parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--filter TEXT] [--threads 1,2] [--json]\n", argv[0]);
    return 2;
  }
  if (snncore::bench::emulated()) {
    std::fprintf(stderr, "This program runs under an emulator; its times would say nothing.\n");
    return 2;
  }
  snncore::bench::run(options);
  return 0;
}
