// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/siphash.h"

#include <gtest/gtest.h>

#include <string>

namespace pilum {

namespace {

/// A non-null 64-bit integer key as the bloom filter hashes it.
uint64_t HashOfInt(int64_t value) {
  std::string bytes(1, '\0');
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  return SipHash13(bytes);
}

}  // namespace

TEST(SipHashTest, GivesTheHashesSeenInRealFilters) {
  EXPECT_EQ(HashOfInt(0), 7399894860367327684u);
  EXPECT_EQ(HashOfInt(-1), 18295282096043662751u);
  EXPECT_EQ(HashOfInt(3), 0xf066dd0237ea7875u);
  EXPECT_EQ(HashOfInt(7), 0x2119cf878e4954b6u);
  EXPECT_EQ(SipHash13(std::string("\0\xff", 2)), 15733103089836330399u) << "the empty text";
  EXPECT_EQ(SipHash13(std::string("\0a\xff", 3)), 2407149558772595733u);
  EXPECT_EQ(SipHash13(std::string("\x01", 1)), 4952851536318644461u) << "null";
  EXPECT_EQ(SipHash13(std::string("\0", 1)), 7541581120933061747u);
}

}  // namespace pilum
