#include <snncore/version.h>

#include <snncore/error.h>

#include "kernels/table.h"

namespace snncore {
namespace {

constexpr const char* compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

constexpr const char* target() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#elif defined(__arm__)
  return "armv7";
#else
  return "unknown target";
#endif
}

}  // namespace

const char* version() noexcept { return SNNCORE_VERSION; }

const char* isa() {
  const kernels::KernelTable& table = kernels::kernels();
  if (const char* why = kernels::selection_error()) throw Error(ErrorCode::kInvalidArgument, why);
  return table.isa;
}

std::string build_info() {
  std::string supported, missing;
  for (size_t level = 0; level < kernels::level_count(); ++level) {
    std::string& list = kernels::level_available(level) ? supported : missing;
    list += std::string(list.empty() ? "" : ", ") + kernels::level_name(level);
  }
  std::string line = std::string("snncore ") + version() + " (format " + std::to_string(kFormatVersion) +
                     "), " + compiler() + ", " + target() + ", kernels: " + supported;
  if (!missing.empty()) line += "; built in, but not supported by this CPU: " + missing;
  return line;
}

}  // namespace snncore
