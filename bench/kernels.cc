// Times single kernels on the layers of small convolutional networks, in thread CPU time: best and median
// of 7, and the share of what bench_limits finds the machine able to do at most.
//   bench_kernels [--filter TEXT] [--isa avx2,scalar] [--json | --costs]
// --costs prints the table of costs by which a session chooses how to sum the spikes of a tile.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/table.h"
#include "kernels/work.h"
#include "machine.h"

namespace snncore::bench {
namespace {

using namespace kernels;

struct Options {
  std::string filter, isa;
  bool json = false, costs = false;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--json") {
      options.json = true;
    } else if (arg == "--costs") {
      options.costs = true;
    } else if ((arg == "--filter" || arg == "--isa") && i + 1 < argc) {
      (arg == "--isa" ? options.isa : options.filter) = argv[++i];
    } else {
      return false;
    }
  }
  return true;
}

bool wanted(const std::string& list, const char* name) {
  return list.empty() || ("," + list + ",").find("," + std::string(name) + ",") != std::string::npos;
}

std::vector<Work> all_work() {
  std::vector<Work> work;
  add_convolutions(work);
  add_first_layers(work);
  add_neurons(work);
  add_bits(work);
  add_hamming(work);
  add_attention(work);
  return work;
}

// The share of the work's limit, or nothing.
std::string share_text(const Work& work, double share, bool json) {
  if (share == 0) return "";
  char text[96];
  std::snprintf(text, sizeof text, json ? ", \"limit\": \"%s\", \"share\": %.3f" : "  %s %.0f %%", work.limit,
                json ? share : 100 * share);
  return text;
}

void print(const Work& work, const KernelTable& table, const Time& t, const std::string& share, bool json,
           bool first) {
  const double gb = work.bytes / t.best, giga = work.operations / t.best;
  if (json) {
    std::printf(
        "%s\n  {\"name\": \"%s\", \"isa\": \"%s\", \"ns\": %.0f, \"median_ns\": %.0f, \"gb_per_s\": %.2f, "
        "\"operations_per_s\": %.4g%s}",
        first ? "" : ",", work.name.c_str(), table.isa, t.best, t.median, gb, giga * 1e9, share.c_str());
  } else {
    std::printf("%-48s %-13s %11.0f ns  (median %11.0f)  %7.2f GB/s  %8.2f Gop/s%s\n", work.name.c_str(),
                table.isa, t.best, t.median, gb, giga, share.c_str());
  }
  std::fflush(stdout);
}

void run_costs(const Options& options) {
  for (size_t level = 0; level < level_count(); ++level) {
    KernelTable table{};
    if (wanted(options.isa, level_name(level)) && level_table(level, table)) print_costs(table);
  }
}

void run_all(const Options& options) {
  const std::vector<Work> work = all_work();
  bool first = true;
  for (const Work& w : work) {
    if (w.name.find(options.filter) == std::string::npos) continue;
    for (size_t level = 0; level < level_count(); ++level) {
      KernelTable table{};
      if (!wanted(options.isa, level_name(level)) || !level_table(level, table)) continue;
      const Time time = measure(w, table);
      print(w, table, time, share_text(w, share_of_limit(w, level, time), options.json), options.json, first);
      first = false;
    }
  }
}

void run(const Options& options) {
  if (options.costs) {
    run_costs(options);
    return;
  }
  if (options.json) {
    std::printf(
        "{\"cpu\": \"%s\", \"compiler\": \"%s\", \"clock\": \"thread CPU time, best and median of 7\", "
        "\"results\": [",
        cpu_name().c_str(), __VERSION__);
  }
  run_all(options);
  if (options.json) std::printf("\n]}\n");
}

}  // namespace
}  // namespace snncore::bench

int main(int argc, char** argv) {
  snncore::bench::Options options;
  if (!snncore::bench::parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--filter TEXT] [--isa avx2,scalar] [--json | --costs]\n", argv[0]);
    return 2;
  }
  if (snncore::bench::emulated()) {
    std::printf("This program runs under an emulator; its times would say nothing.\n");
    return 0;
  }
  snncore::bench::run(options);
  return 0;
}
