# SPDX-License-Identifier: Apache-2.0
# Compiler settings shared by every target: C++20, hidden symbols, ccache, mold, sanitizers.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(PILUM_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")  # what sanitizers make of -O0 takes minutes to test
else()
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(PILUM_WERROR)
  add_compile_options(-Werror)
endif()

find_program(PILUM_CCACHE ccache)
if(PILUM_CCACHE)
  # Precompiled headers and ccache agree only with this sloppiness; base_dir lets build folders share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${PILUM_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

find_program(PILUM_MOLD mold)
if(PILUM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(PILUM_SANITIZE)
  add_compile_options(-fsanitize=${PILUM_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${PILUM_SANITIZE})
endif()
