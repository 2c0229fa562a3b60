# SPDX-License-Identifier: Apache-2.0
# The targets pilum_arrow and pilum_arrow_compute. Used by this project and by those that find_package(pilum).
# Arrow C++: an installed package, else the headers and libraries inside the pyarrow wheel of the interpreter that
# will load the bindings, so that one process holds one copy.
set(PILUM_ARROW_VERSION 26)
find_package(Arrow ${PILUM_ARROW_VERSION} QUIET)
if(Arrow_FOUND)
  find_package(ArrowCompute REQUIRED)
  set(PILUM_ARROW_TARGETS Arrow::arrow_shared ArrowCompute::arrow_compute_shared)
  set(PILUM_ARROW_RPATH "")
else()
  if(NOT PILUM_PYTHON)
    if(Python_EXECUTABLE)
      set(PILUM_PYTHON ${Python_EXECUTABLE})
    elseif(EXISTS ${PROJECT_SOURCE_DIR}/.venv/bin/python)
      set(PILUM_PYTHON ${PROJECT_SOURCE_DIR}/.venv/bin/python)
    else()
      find_package(Python3 REQUIRED COMPONENTS Interpreter)
      set(PILUM_PYTHON ${Python3_EXECUTABLE})
    endif()
  endif()
  execute_process(COMMAND ${PILUM_PYTHON} -c
      "import pyarrow as p; print(p.get_include(), p.get_library_dirs()[0], p.__version__.split('.')[0], sep=';')"
    OUTPUT_VARIABLE pilum_pyarrow OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  list(GET pilum_pyarrow 0 PILUM_ARROW_INCLUDE_DIR)
  list(GET pilum_pyarrow 1 PILUM_ARROW_LIB_DIR)
  list(GET pilum_pyarrow 2 pilum_pyarrow_major)
  if(NOT pilum_pyarrow_major EQUAL PILUM_ARROW_VERSION)
    message(FATAL_ERROR "pyarrow ${pilum_pyarrow_major} found, Arrow ${PILUM_ARROW_VERSION} is needed: pip install pyarrow==26.0.1")
  endif()
  foreach(lib arrow arrow_compute)
    add_library(pilum_${lib} SHARED IMPORTED GLOBAL)
    set_target_properties(pilum_${lib} PROPERTIES
      IMPORTED_LOCATION ${PILUM_ARROW_LIB_DIR}/lib${lib}.so.${PILUM_ARROW_VERSION}00
      INTERFACE_INCLUDE_DIRECTORIES ${PILUM_ARROW_INCLUDE_DIR})
  endforeach()
  set(PILUM_ARROW_TARGETS pilum_arrow pilum_arrow_compute)
  set(PILUM_ARROW_RPATH ${PILUM_ARROW_LIB_DIR})
  list(APPEND CMAKE_BUILD_RPATH ${PILUM_ARROW_LIB_DIR})
endif()
