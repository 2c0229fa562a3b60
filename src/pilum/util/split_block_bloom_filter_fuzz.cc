// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a bloom filter: they come back as they were, and what is inserted is found.
#include "pilum/fuzz_target.h"
#include "pilum/util/little_endian.h"
#include "pilum/util/split_block_bloom_filter.h"

namespace pilum {

std::vector<std::string> FuzzSeeds() {
  SplitBlockBloomFilter filter(128);
  for (uint64_t i = 0; i < 20; ++i) filter.Insert(i * 0x9E3779B97F4A7C15);
  return {filter.ToBytes(), std::string(32, '\0')};
}

}  // namespace pilum

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pilum::SplitBlockBloomFilter filter(pilum::SplitBlockBloomFilter::kBlockBytes);
  if (!pilum::SplitBlockBloomFilter::FromBytes({data, size}, &filter)) return 0;
  const std::string bytes = filter.ToBytes();
  pilum::Require(bytes == std::string_view(reinterpret_cast<const char*>(data), size), "bytes come back");
  const uint64_t hash = pilum::LoadLE<uint64_t>(data);
  (void)filter.MightContain(hash);
  filter.Insert(hash);
  pilum::Require(filter.MightContain(hash), "what is inserted is found");
  return 0;
}
