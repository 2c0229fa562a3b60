# SPDX-License-Identifier: Apache-2.0
# pilum_fuzz_target(<source> <layer>): a program from <concept>_fuzz.cc. With PILUM_BUILD_FUZZERS (clang, see `make fuzz`)
# it mutates its inputs, else ctest runs it over its seeds.
set(fuzz_sources ${PROJECT_SOURCE_DIR}/src/pilum)
set(fuzz_generated ${CMAKE_BINARY_DIR}/fuzz)
file(MAKE_DIRECTORY ${fuzz_generated}/pilum)
add_custom_command(
  OUTPUT ${fuzz_generated}/pilum/fuzz_input.pb.cc ${fuzz_generated}/pilum/fuzz_input.pb.h
  COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR}/src --proto_path=${PROJECT_SOURCE_DIR}/proto
          --cpp_out=${fuzz_generated} pilum/fuzz_input.proto
  DEPENDS ${fuzz_sources}/fuzz_input.proto)
add_library(pilum_fuzz OBJECT ${fuzz_generated}/pilum/fuzz_input.pb.cc ${fuzz_sources}/fuzz_main.cc)
set_source_files_properties(${fuzz_generated}/pilum/fuzz_input.pb.cc PROPERTIES COMPILE_OPTIONS -w)
target_include_directories(pilum_fuzz PUBLIC ${PROJECT_SOURCE_DIR}/src)
target_include_directories(pilum_fuzz SYSTEM PUBLIC ${fuzz_generated})
target_link_libraries(pilum_fuzz PUBLIC pilum_proto ${PILUM_ARROW_TARGETS})
if(PILUM_BUILD_FUZZERS)
  target_sources(pilum_fuzz PRIVATE ${fuzz_sources}/fuzz_message.cc)
  target_compile_definitions(pilum_fuzz PUBLIC PILUM_BUILD_FUZZERS)
endif()

function(pilum_fuzz_target source layer)
  get_filename_component(program ${source} NAME_WE)
  add_executable(${program} ${source})
  target_link_libraries(${program} PRIVATE ${layer} pilum_fuzz)
  if(PILUM_BUILD_FUZZERS)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  else()
    add_test(NAME ${program} COMMAND ${program})
  endif()
endfunction()
