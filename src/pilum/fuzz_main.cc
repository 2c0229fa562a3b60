// SPDX-License-Identifier: Apache-2.0
//
// The start of every fuzz target.
//
//   <concept>_fuzz --seeds DIR   writes the seeds to DIR, a file each
//   <concept>_fuzz FILE...       runs these inputs, be it with libFuzzer or without
//   <concept>_fuzz               runs the seeds; with libFuzzer: mutates (see libFuzzer's -help=1)
#include <arrow/compute/initialize.h>
#include <google/protobuf/stubs/logging.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "pilum/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void WriteSeeds(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  int number = 0;
  for (const std::string& seed : pilum::FuzzSeeds()) {
    std::ofstream(directory / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  // The sanitizers know memory of malloc, not that of the pools in Arrow.
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", 1);
  google::protobuf::SetLogHandler(nullptr);
  pilum::Require(arrow::compute::Initialize(), "Arrow's kernels");
  if (*argc == 3 && std::string_view((*argv)[1]) == "--seeds") {
    WriteSeeds((*argv)[2]);
    std::exit(0);
  }
  return 0;
}

#ifndef PILUM_BUILD_FUZZERS

int main(int argc, char** argv) {
  LLVMFuzzerInitialize(&argc, &argv);
  const auto run = [](const std::string& input) {
    return LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  };
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    pilum::Require(file.is_open(), std::string("cannot read ") + argv[i]);
    run(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  if (argc > 1) return 0;
  const auto seeds = pilum::FuzzSeeds();
  pilum::Require(!seeds.empty(), "there are seeds");
  for (const std::string& seed : seeds) pilum::Require(run(seed) == 0, "a seed is a good input");
  std::cout << seeds.size() << " seeds" << std::endl;
}

#endif
