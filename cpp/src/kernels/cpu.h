// What the CPU at hand, and its operating system, can run.
#pragma once

namespace snncore::kernels {

bool cpu_has_avx2() noexcept;        // all of x86-64-v3
bool cpu_has_avx512() noexcept;      // all of x86-64-v4, VNNI, VPOPCNTDQ, BITALG and VBMI
bool cpu_has_avx512_amx() noexcept;  // AMX-TILE and AMX-INT8 too, and the kernel lets this process use tiles
bool cpu_has_neon() noexcept;        // Advanced SIMD, 64-bit or 32-bit
bool cpu_has_neon_dotprod() noexcept;  // Armv8.2 with the int8 dot product

}  // namespace snncore::kernels
