// One ceiling of the machine: a loop that does nothing else, on data that stays where the name says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
// A function compiled for a level whatever flags the file has; it is called only where the CPU has the level.
#define SNNCORE_LEVEL(features) __attribute__((target(features)))
#elif defined(__aarch64__) || defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace snncore::bench {

/// Private data of one thread.
struct Lane {
  std::byte* data;   // aligned to 64 bytes, filled with random bits
  size_t bytes;      // what the limit asked for
  uint64_t sink[8];  // results go here, so that no loop is removed
};

struct Limit {
  const char* name;
  const char* level;  // as snncore.isa() calls it
  const char* unit;   // of operations per second
  size_t bytes;       // data of one thread
  double operations;  // of one round
  void (*run)(Lane& lane, size_t rounds);
};

/// Data of the arithmetic limits: half of a small first-level cache.
constexpr size_t kL1Bytes = size_t{16} << 10;

/// Keeps the rounds of a loop apart.
inline void end_round() { asm volatile("" ::: "memory"); }

template <typename T>
const T* as(const Lane& lane) {
  return reinterpret_cast<const T*>(lane.data);
}

/// Adds a register's lanes to the result: stored over one another, all but the last would be removed.
template <typename V>
void keep(Lane& lane, const V& value) {
  static_assert(sizeof value <= sizeof lane.sink);
  uint64_t lanes[sizeof value / sizeof(uint64_t)];
  __builtin_memcpy(lanes, &value, sizeof value);
  for (size_t i = 0; i < sizeof value / sizeof(uint64_t); ++i) lane.sink[i] ^= lanes[i];
}

bool has_avx2();
bool has_avx512();  // with VPOPCNTDQ, VBMI and VNNI, as the project's level of that name
bool has_dotprod();

/// Operations per second of thread CPU time: best and median of 7; of several threads, the sum.
struct Rate {
  double best, median;
};
Rate measure(const Limit& limit, size_t threads);

/// All that this CPU can run.
std::vector<Limit> all_limits(size_t threads);

// Each file adds the limits that this CPU can run.
void add_popcount(std::vector<Limit>& limits);
void add_bytes(std::vector<Limit>& limits);
void add_lookup(std::vector<Limit>& limits);
void add_dot(std::vector<Limit>& limits);
void add_lif(std::vector<Limit>& limits);
void add_read(std::vector<Limit>& limits, size_t threads);

}  // namespace snncore::bench
