// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a Roaring bitmap: what is accepted can be used, and comes back from its own bytes.
#include "pilum/table/bitmap.h"

#include "pilum/fuzz_target.h"

namespace pilum {

std::vector<std::string> FuzzSeeds() {
  Roaring few, many, runs;
  for (uint32_t i = 0; i < 20; ++i) few.add(i * 70'000);
  for (uint32_t i = 0; i < 5000; ++i) many.add(i * 3);
  runs.addRange(10, 60'000);
  runs.addRange(70'000, 70'100);
  runs.runOptimize();
  return {SerializeBitmap({}), SerializeBitmap(few), SerializeBitmap(many), SerializeBitmap(runs)};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bitmap = pilum::ParseBitmap(pilum::ExactBytes({reinterpret_cast<const char*>(data), size}));
  if (!bitmap.ok()) return 0;
  uint64_t counted = 0;
  uint32_t last = 0;
  for (const uint32_t value : *bitmap) {
    pilum::Require(counted++ == 0 || value > last, "values ascend");
    last = value;
  }
  pilum::Require(counted == bitmap->cardinality(), "as many values as it says");
  const auto again = pilum::ParseBitmap(pilum::ExactBytes(pilum::SerializeBitmap(*bitmap)));
  pilum::Require(again.status(), "a bitmap comes back");
  pilum::Require(*again == *bitmap, "as the same bitmap");
  return 0;
}
