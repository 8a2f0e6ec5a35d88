#include "machine.h"

#include <ctime>
#include <fstream>

#include <unistd.h>

namespace snncore::bench {
namespace {

std::string first_line(const char* path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    for (const char* key : {"model name", "Model", "CPU part"}) {
      const size_t colon = line.find(": ");
      if (line.rfind(key, 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
    }
  }
  return "unknown";
}

// A user-mode emulator runs this program on a kernel of another architecture, and hides it well; these it
// forgets.
bool emulated() {
  if (first_line("/proc/self/comm").find("qemu") != std::string::npos) return true;
#if !defined(__x86_64__)
  if (first_line("/proc/sys/kernel/arch") == "x86_64") return true;
  if (std::ifstream("/sys/devices/system/cpu/cpu0/microcode/version").good()) return true;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.find("GenuineIntel") != std::string::npos || line.find("AuthenticAMD") != std::string::npos)
      return true;
  }
#endif
  return false;
}

size_t cache_bytes(int level) {
  long bytes = 0;
#ifdef _SC_LEVEL1_DCACHE_SIZE
  const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
  bytes = sysconf(names[level - 1]);
#endif
  const size_t usual[] = {size_t{32} << 10, size_t{512} << 10, size_t{4} << 20};
  return bytes > 0 ? static_cast<size_t>(bytes) : usual[level - 1];
}

double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

}  // namespace snncore::bench
