#include "work.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "../machine.h"

namespace snncore::bench {
namespace {

uint64_t random_state = 1;
volatile uint64_t kept = 0;

}  // namespace

uint64_t next_random() {
  uint64_t z = (random_state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

int32_t random_in(int32_t lo, int32_t hi) {
  return lo + static_cast<int32_t>(next_random() % static_cast<uint64_t>(hi - lo + 1));
}

bool random_spike(double density) { return (next_random() >> 32) < static_cast<uint64_t>(density * 0x1p32); }

void keep(uint64_t count) { kept = count; }

std::string percent(double density) { return "/" + std::to_string(std::lround(density * 100)) + "%"; }

std::string Layer::name(const char* kernel, const char* kind) const {
  return std::string(kernel) + "/conv3x3_" + std::to_string(height) + "x" + std::to_string(width) + "x" +
         std::to_string(inputs) + "->" + std::to_string(outputs) + kind;
}

Time measure(const Work& work, const kernels::KernelTable& table) {
  const auto timed = [&](size_t runs) {
    const double start = cpu_ns();
    for (size_t i = 0; i < runs; ++i) work.run(table);
    return cpu_ns() - start;
  };
  size_t runs = 1;
  while (timed(runs) < 5e6) runs *= 2;
  std::array<double, 7> ns{};
  for (double& t : ns) t = timed(runs) / static_cast<double>(runs);
  std::sort(ns.begin(), ns.end());
  return {ns.front(), ns[ns.size() / 2]};
}

}  // namespace snncore::bench
