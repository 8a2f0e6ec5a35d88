# SNNCORE_TARGET: x86_64, aarch64, arm or other. The compiler is asked, not the machine: a Raspberry Pi with a 64-bit
# kernel and a 32-bit system calls itself aarch64 while its compiler makes armhf programs.
include(CheckCXXSourceCompiles)

function(snncore_compiler_defines macro result)
  check_cxx_source_compiles("#ifndef ${macro}\n#error other target\n#endif\nint main() { return 0; }" ${result})
endfunction()

snncore_compiler_defines(__x86_64__ SNNCORE_TARGET_IS_X86_64)
snncore_compiler_defines(__aarch64__ SNNCORE_TARGET_IS_AARCH64)
snncore_compiler_defines(__arm__ SNNCORE_TARGET_IS_ARM)

if(SNNCORE_TARGET_IS_X86_64)
  set(SNNCORE_TARGET x86_64)
elseif(SNNCORE_TARGET_IS_AARCH64)
  set(SNNCORE_TARGET aarch64)
elseif(SNNCORE_TARGET_IS_ARM)
  set(SNNCORE_TARGET arm)
else()
  set(SNNCORE_TARGET other)
endif()
message(STATUS "snncore target: ${SNNCORE_TARGET}")
