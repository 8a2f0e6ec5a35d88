# The installed C++ package: headers, library, find_package(snncore) and pkg-config.
# The Python wheel takes the component `python` alone (bindings/CMakeLists.txt).
include(CMakePackageConfigHelpers)

set(SNNCORE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/snncore)

install(
  TARGETS snncore
  EXPORT snncoreTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cpp
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cpp
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT cpp)
install(DIRECTORY cpp/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT cpp)
install(
  EXPORT snncoreTargets
  NAMESPACE snncore::
  DESTINATION ${SNNCORE_CMAKE_DIR}
  COMPONENT cpp)

configure_package_config_file(cmake/snncoreConfig.cmake.in snncoreConfig.cmake INSTALL_DESTINATION ${SNNCORE_CMAKE_DIR})
write_basic_package_version_file(snncoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${CMAKE_CURRENT_BINARY_DIR}/snncoreConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/snncoreConfigVersion.cmake
  DESTINATION ${SNNCORE_CMAKE_DIR}
  COMPONENT cpp)

# The path from the .pc file back to the prefix, so that the package works wherever it was installed or moved to.
file(RELATIVE_PATH SNNCORE_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/snncore.pc.in snncore.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/snncore.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT cpp)

install(
  FILES LICENSE NOTICE
  DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT cpp)
install(
  FILES third_party/nlohmann/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR}
  RENAME LICENSE.nlohmann
  COMPONENT cpp)
