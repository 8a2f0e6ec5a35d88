// The clocks of measurements.
#pragma once

#include <chrono>
#include <ctime>

namespace snncore {

inline double wall_seconds() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Processor time of the calling thread; wall time where the system does not tell.
inline double thread_seconds() noexcept {
#ifdef CLOCK_THREAD_CPUTIME_ID
  timespec now{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0) {
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }
#endif
  return wall_seconds();
}

}  // namespace snncore
