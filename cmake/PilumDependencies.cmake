# SPDX-License-Identifier: Apache-2.0
# Third-party libraries. docs/dependencies.md says why each is here.
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(roaring REQUIRED)

include(PilumArrow)

if(PILUM_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(PILUM_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()
if(PILUM_BUILD_CLI)
  find_package(CLI11 REQUIRED)
endif()
