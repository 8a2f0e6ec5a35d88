# What every file of the project is compiled with: language, warnings, and the one flag that answers depend on.
# The presets turn warnings into errors (CMAKE_COMPILE_WARNING_AS_ERROR); a consumer's build does not.
add_library(snncore_settings INTERFACE)
target_compile_features(snncore_settings INTERFACE cxx_std_20)
target_compile_options(
  snncore_settings
  INTERFACE
    # Fusing a*b+c on some ISAs and not on others would let float membranes drift apart.
    -ffp-contract=off
    -Wall -Wextra -Wconversion -Wshadow
    # Designated initialisers leave out what keeps its default; that is what they are for.
    -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND SNNCORE_TARGET STREQUAL "arm")
  # "parameter passing changed in GCC 7.1": true, of no consequence within one compiler, and printed by the thousand.
  target_compile_options(snncore_settings INTERFACE -Wno-psabi)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 sees overlapping copies in `"text" + std::string` at -O3 (its bug 105651).
  target_compile_options(snncore_settings INTERFACE -Wno-restrict)
endif()
