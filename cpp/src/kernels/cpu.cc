#include "kernels/cpu.h"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__linux__) && (defined(__aarch64__) || defined(__arm__))
#include <sys/auxv.h>
#endif

namespace snncore::kernels {
namespace {

constexpr bool has_all(uint64_t value, uint64_t bits) { return (value & bits) == bits; }
constexpr uint64_t bit(unsigned i) { return uint64_t{1} << i; }

#if defined(__x86_64__)

struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(uint32_t leaf) {
  Leaf r;
  if (__get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return Leaf{};
  return r;
}

// The register files that the operating system saves and restores (XCR0).
uint64_t saved_registers(uint32_t leaf1_ecx) {
  if (!has_all(leaf1_ecx, bit(27))) return 0;  // OSXSAVE: without it there is no xgetbv
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

struct X86 {
  bool v3 = false, ice_lake = false, tiles = false;
};

X86 probe_x86() {
  constexpr uint64_t kYmmSaved = 0x06, kZmmSaved = 0xe6, kTilesSaved = 0x60000;
  // FMA, SSSE3, SSE4.1, SSE4.2, MOVBE, POPCNT, AVX, F16C
  constexpr uint64_t kV3Leaf1 = bit(12) | bit(9) | bit(19) | bit(20) | bit(22) | bit(23) | bit(28) | bit(29);
  constexpr uint64_t kV3Leaf7 = bit(3) | bit(5) | bit(8);  // BMI1, AVX2, BMI2
  constexpr uint64_t kLzcnt = bit(5);                      // leaf 0x80000001, ecx
  // AVX512 F, DQ, CD, BW, VL; then VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ
  constexpr uint64_t kV4Leaf7 = bit(16) | bit(17) | bit(28) | bit(30) | bit(31);
  constexpr uint64_t kIceLakeLeaf7 = bit(1) | bit(6) | bit(11) | bit(12) | bit(14);
  constexpr uint64_t kTilesLeaf7 = bit(24) | bit(25);  // AMX-TILE, AMX-INT8 (edx)

  const Leaf one = cpuid(1), seven = cpuid(7), extended = cpuid(0x80000001);
  const uint64_t saved = saved_registers(one.ecx);
  X86 cpu;
  cpu.v3 = has_all(saved, kYmmSaved) && has_all(one.ecx, kV3Leaf1) && has_all(seven.ebx, kV3Leaf7) &&
           has_all(extended.ecx, kLzcnt);
  cpu.ice_lake = cpu.v3 && has_all(saved, kZmmSaved) && has_all(seven.ebx, kV4Leaf7) &&
                 has_all(seven.ecx, kIceLakeLeaf7);
  cpu.tiles = cpu.ice_lake && has_all(saved, kTilesSaved) && has_all(seven.edx, kTilesLeaf7);
  return cpu;
}

// Linux grants the tile registers to a process that asks for them.
bool tiles_granted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

#elif defined(__linux__) && (defined(__aarch64__) || defined(__arm__))

uint64_t hwcap() { return getauxval(AT_HWCAP); }

#endif

}  // namespace

#if defined(__x86_64__)
bool cpu_has_avx2() noexcept { return probe_x86().v3; }
bool cpu_has_avx512() noexcept { return probe_x86().ice_lake; }
bool cpu_has_avx512_amx() noexcept {
  static const bool usable = probe_x86().tiles && tiles_granted();
  return usable;
}
#else
bool cpu_has_avx2() noexcept { return false; }
bool cpu_has_avx512() noexcept { return false; }
bool cpu_has_avx512_amx() noexcept { return false; }
#endif

#if defined(__linux__) && defined(__aarch64__)
bool cpu_has_neon() noexcept { return has_all(hwcap(), bit(1)); }
// CRC32, ATOMICS and ASIMDRDM are part of Armv8.1, which the compiler takes for granted there; ASIMDDP is the
// dot product.
bool cpu_has_neon_dotprod() noexcept {
  return has_all(hwcap(), bit(1) | bit(7) | bit(8) | bit(12) | bit(20));
}
#elif defined(__linux__) && defined(__arm__)
bool cpu_has_neon() noexcept { return has_all(hwcap(), bit(12)); }
bool cpu_has_neon_dotprod() noexcept { return false; }
#elif defined(__aarch64__)
bool cpu_has_neon() noexcept { return true; }
bool cpu_has_neon_dotprod() noexcept { return false; }
#else
bool cpu_has_neon() noexcept { return false; }
bool cpu_has_neon_dotprod() noexcept { return false; }
#endif

}  // namespace snncore::kernels
