// The ceilings of this machine, for every level that its CPU has: what shares of a limit in
// docs/performance.md are shares of. Rates are operations per second of thread CPU time, best and median of
// 7; with several threads, which start together, the sum of their rates.
//   bench_limits [--filter TEXT] [--threads 1,2] [--json]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "limits/limit.h"
#include "machine.h"

namespace snncore::bench {

namespace {

struct Options {
  std::string filter;
  std::vector<size_t> threads = {1};
  bool json = false;
};

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
