# SPDX-License-Identifier: Apache-2.0
# pilum_layer(<name> DEPENDS <layers> LINK <libraries> SOURCES .. TESTS .. FUZZERS .. BENCHMARKS ..)
#
# One layer: the static library pilum_<name>, its unit tests as one program pilum_<name>_test (run by ctest), one
# program per fuzz target (PilumFuzz.cmake) and per micro-benchmark. DEPENDS is the layer diagram: scripts/check_layering.py reads these lists and fails when
# a source includes a header of a layer that is not (transitively) listed.

# Arrow headers take seconds to parse: parsed once for libraries (PIC) and once for programs (PIE, with GoogleTest).
set(PILUM_PCH_HEADERS <arrow/api.h> <arrow/compute/api.h> <arrow/io/api.h> <arrow/ipc/api.h> <map> <memory> <optional>
    <span> <string> <string_view> <unordered_map> <vector>)
file(WRITE ${CMAKE_BINARY_DIR}/pch/empty.cc "")
add_library(pilum_pch OBJECT ${CMAKE_BINARY_DIR}/pch/empty.cc)
target_link_libraries(pilum_pch PUBLIC ${PILUM_ARROW_TARGETS})
target_precompile_headers(pilum_pch PRIVATE ${PILUM_PCH_HEADERS})
if(PILUM_BUILD_TESTS)
  file(WRITE ${CMAKE_BINARY_DIR}/pch/main.cc "int main() {}\n")
  add_executable(pilum_test_pch EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/pch/main.cc)
  target_link_libraries(pilum_test_pch PUBLIC ${PILUM_ARROW_TARGETS} GTest::gtest GTest::gmock)
  target_precompile_headers(pilum_test_pch PRIVATE ${PILUM_PCH_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
endif()

set_property(GLOBAL PROPERTY PILUM_LAYERS "")

function(pilum_layer name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LINK;SOURCES;TESTS;FUZZERS;BENCHMARKS" ${ARGN})
  string(REPLACE "/" "_" target pilum_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PUBLIC ${PILUM_ARROW_TARGETS} Threads::Threads ${arg_LINK})
  foreach(layer ${arg_DEPENDS})
    string(REPLACE "/" "_" layer_target pilum_${layer})
    target_link_libraries(${target} PUBLIC ${layer_target})
  endforeach()
  target_precompile_headers(${target} REUSE_FROM pilum_pch)
  set_property(GLOBAL APPEND PROPERTY PILUM_LAYERS ${target})
  install(TARGETS ${target} EXPORT pilumTargets ARCHIVE COMPONENT cpp)
  file(GLOB headers CONFIGURE_DEPENDS *.h)
  list(FILTER headers EXCLUDE REGEX "(/test_[a-z_]+|/random_batch|_fuzz)\\.h$")  # serve tests
  install(FILES ${headers} DESTINATION include/pilum/${name} COMPONENT cpp)

  if(PILUM_BUILD_TESTS AND arg_TESTS)
    add_executable(${target}_test ${arg_TESTS} ${PROJECT_SOURCE_DIR}/src/pilum/test_main.cc)
    target_link_libraries(${target}_test PRIVATE ${target} GTest::gtest GTest::gmock)
    target_precompile_headers(${target}_test REUSE_FROM pilum_test_pch)
    add_test(NAME ${target}_test COMMAND ${target}_test)
  endif()
  if(PILUM_BUILD_TESTS OR PILUM_BUILD_FUZZERS)
    foreach(source ${arg_FUZZERS})
      pilum_fuzz_target(${source} ${target})
    endforeach()
  endif()
  if(PILUM_BUILD_BENCHMARKS)
    foreach(source ${arg_BENCHMARKS})
      get_filename_component(program ${source} NAME_WE)
      add_executable(${program} ${source})
      target_link_libraries(${program} PRIVATE ${target} benchmark::benchmark_main)
    endforeach()
  endif()
endfunction()
