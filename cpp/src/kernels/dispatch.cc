// Which table is used. The order of kLevels is the whole policy: scalar, then every level that the CPU
// supports.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/cpu.h"
#include "kernels/fill.h"
#include "kernels/table.h"

namespace snncore::kernels {
namespace {

struct Level {
  const char* name;
  bool (*available)() noexcept;
  void (*fill)(KernelTable&);
};

constexpr Level kLevels[] = {
    {"scalar", []() noexcept { return true; }, fill_scalar},
#if defined(SNNCORE_HAVE_AVX2)
    {"avx2", cpu_has_avx2, fill_avx2},
#endif
#if defined(SNNCORE_HAVE_AVX512)
    {"avx512", cpu_has_avx512, fill_avx512},
#endif
#if defined(SNNCORE_HAVE_AVX512_AMX)
    {"avx512_amx", cpu_has_avx512_amx, fill_avx512_amx},
#endif
#if defined(SNNCORE_HAVE_NEON)
    {"neon", cpu_has_neon, fill_neon},
#endif
#if defined(SNNCORE_HAVE_NEON_DOTPROD)
    {"neon_dotprod", cpu_has_neon_dotprod, fill_neon_dotprod},
#endif
#if defined(SNNCORE_HAVE_NEON32)
    {"neon32", cpu_has_neon, fill_neon32},
#endif
};
constexpr size_t kLevelCount = sizeof(kLevels) / sizeof(kLevels[0]);

struct Selection {
  KernelTable table{};
  char error[256] = "";
};

size_t highest_available() {
  size_t level = kLevelCount - 1;
  while (!level_available(level)) --level;
  return level;
}

size_t find_level(const char* name) {
  size_t level = 0;
  while (level < kLevelCount && std::strcmp(kLevels[level].name, name) != 0) ++level;
  return level;
}

void list_levels(char* text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < kLevelCount && used < size; ++i) {
    const int n = std::snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", kLevels[i].name);
    used += n > 0 ? static_cast<size_t>(n) : size;
  }
}

Selection select() {
  Selection s;
  const char* wanted = std::getenv("SNNCORE_ISA");
  const bool forced = wanted != nullptr && *wanted != '\0';
  const size_t level = forced ? find_level(wanted) : highest_available();
  if (level_table(level, s.table)) return s;

  level_table(0, s.table);
  if (level < kLevelCount) {
    std::snprintf(s.error, sizeof(s.error), "SNNCORE_ISA: this CPU does not support '%s'",
                  kLevels[level].name);
  } else {
    char levels[128] = "";
    list_levels(levels, sizeof(levels));
    std::snprintf(s.error, sizeof(s.error), "SNNCORE_ISA: no level is called '%.64s'; there are: %s", wanted,
                  levels);
  }
  return s;
}

const Selection& selection() {
  static const Selection chosen = select();
  return chosen;
}

}  // namespace

const KernelTable& kernels() noexcept { return selection().table; }

const char* selection_error() noexcept {
  const char* error = selection().error;
  return *error == '\0' ? nullptr : error;
}

size_t level_count() noexcept { return kLevelCount; }

const char* level_name(size_t level) noexcept { return level < kLevelCount ? kLevels[level].name : nullptr; }

bool level_available(size_t level) noexcept { return level < kLevelCount && kLevels[level].available(); }

bool level_table(size_t level, KernelTable& table) noexcept {
  if (!level_available(level)) return false;
  for (size_t i = 0; i <= level; ++i) kLevels[i].fill(table);
  return true;
}

}  // namespace snncore::kernels
