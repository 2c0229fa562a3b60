// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/split_block_bloom_filter.h"

#include <gtest/gtest.h>

#include <random>

namespace pilum {

namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

TEST(SplitBlockBloomFilterTest, FindsWhatWasInsertedAndLittleElse) {
  SplitBlockBloomFilter filter(32768);
  std::mt19937_64 random(7);
  std::vector<uint64_t> hashes(8192);
  for (auto& hash : hashes) filter.Insert(hash = random());
  for (const uint64_t hash : hashes) ASSERT_TRUE(filter.MightContain(hash));
  int false_positives = 0;
  for (int i = 0; i < 100'000; ++i) false_positives += filter.MightContain(random()) ? 1 : 0;
  EXPECT_LT(false_positives, 150) << "sized for 0.00057";
}

TEST(SplitBlockBloomFilterTest, SetsTheBitsOfTheFormat) {
  SplitBlockBloomFilter filter(32);
  filter.Insert(1);  // block 0 of 1; bit i = salt[i] >> 27
  const std::string bytes = filter.ToBytes();
  ASSERT_EQ(bytes.size(), 32);
  EXPECT_EQ(static_cast<uint8_t>(bytes[1]), 0x01) << "0x47b6137b >> 27 = 8";
  EXPECT_EQ(static_cast<uint8_t>(bytes[8 + 2]), 0x02) << "0x8824ad5b >> 27 = 17";
}

TEST(SplitBlockBloomFilterTest, RoundTripsThroughBytes) {
  SplitBlockBloomFilter filter(128), read(32);
  for (uint64_t i = 0; i < 20; ++i) filter.Insert(i * 0x9E3779B97F4A7C15);
  ASSERT_TRUE(SplitBlockBloomFilter::FromBytes(Bytes(filter.ToBytes()), &read));
  EXPECT_EQ(read.ToBytes(), filter.ToBytes());
  EXPECT_FALSE(SplitBlockBloomFilter::FromBytes(Bytes(""), &read));
  EXPECT_FALSE(SplitBlockBloomFilter::FromBytes(Bytes(std::string(33, 'x')), &read));
}

}  // namespace pilum
