// What a bench says of the machine, and the clock that it reads.
#pragma once

#include <cstddef>
#include <string>

namespace snncore::bench {

std::string cpu_name();

/// A user-mode emulator runs this program: its times would say nothing.
bool emulated();

/// Bytes of the data cache of this level (1..3), or a usual size where the system does not tell.
size_t cache_bytes(int level);

/// CPU time of this thread in nanoseconds: other jobs on the machine disturb it least.
double cpu_ns();

}  // namespace snncore::bench
