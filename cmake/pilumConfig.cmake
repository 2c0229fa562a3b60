# SPDX-License-Identifier: Apache-2.0
# find_package(pilum): the target pilum::pilum. Arrow is an installed package or, where there is none, the one inside the
# pyarrow of the interpreter PILUM_PYTHON (by default python3).
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Protobuf)
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(roaring)
include(${CMAKE_CURRENT_LIST_DIR}/PilumArrow.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/pilumTargets.cmake)
