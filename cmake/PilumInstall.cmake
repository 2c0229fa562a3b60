# SPDX-License-Identifier: Apache-2.0
# cmake --install: headers, static libraries, and a package for find_package(pilum), whose target is pilum::pilum.
include(CMakePackageConfigHelpers)

add_library(pilum INTERFACE)
get_property(layers GLOBAL PROPERTY PILUM_LAYERS)
target_link_libraries(pilum INTERFACE ${layers})
install(TARGETS pilum EXPORT pilumTargets)

set(destination lib/cmake/pilum)
install(EXPORT pilumTargets NAMESPACE pilum:: DESTINATION ${destination} COMPONENT cpp)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/pilumConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/pilumConfig.cmake cmake/PilumArrow.cmake ${CMAKE_BINARY_DIR}/pilumConfigVersion.cmake
  DESTINATION ${destination} COMPONENT cpp)
