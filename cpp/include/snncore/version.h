/// \file
/// Versions and what this build can do.
#pragma once

#include <string>

#if defined(SNNCORE_STATIC)
#define SNNCORE_API
#else
#define SNNCORE_API __attribute__((visibility("default")))
#endif

namespace snncore {

/// The newest `.snn` format this library writes; it reads this one and every older one.
inline constexpr int kFormatVersion = 2;

/// The library's version, "major.minor.patch".
SNNCORE_API const char* version() noexcept;

/// The kernel level in use: "scalar", "avx2", "avx512", "avx512_amx", "neon", "neon_dotprod" or "neon32".
/// Throws Error(kInvalidArgument) when the environment variable SNNCORE_ISA names an unknown level or one
/// that this CPU lacks.
SNNCORE_API const char* isa();

/// One line: version, compiler, target, the kernel levels built in and which of them this CPU supports.
SNNCORE_API std::string build_info();

}  // namespace snncore
