// SPDX-License-Identifier: Apache-2.0
//
// main() of every unit test program: registers Arrow's compute kernels once, then runs GoogleTest.
#include <arrow/compute/initialize.h>
#include <gtest/gtest.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (auto status = arrow::compute::Initialize(); !status.ok()) {
    return 1;
  }
  return RUN_ALL_TESTS();
}
