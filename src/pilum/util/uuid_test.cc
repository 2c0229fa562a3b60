// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/uuid.h"

#include <gtest/gtest.h>

namespace pilum {

TEST(UuidTest, TextRoundTrips) {
  const std::string text = "11111111-2222-4333-8444-5555aabbccdd";
  const auto uuid = Uuid::Parse(text);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->ToString(), text);
  EXPECT_EQ(uuid->bytes[0], 0x11);
  EXPECT_EQ(uuid->bytes[15], 0xdd);
  EXPECT_EQ(Uuid::Parse("11111111-2222-4333-8444-5555AABBCCDD"), uuid);
  EXPECT_EQ(Uuid::FromBytes(uuid->AsBytes()), uuid);
}

TEST(UuidTest, RefusesMalformedText) {
  for (const char* text :
       {"", "11111111-2222-4333-8444-5555aabbccd", "11111111x2222-4333-8444-5555aabbccdd",
        "1111111g-2222-4333-8444-5555aabbccdd", "11111111222243338444-5555aabbccdd-----"}) {
    EXPECT_EQ(Uuid::Parse(text), std::nullopt) << text;
  }
  EXPECT_EQ(Uuid::FromBytes("short"), std::nullopt);
}

TEST(UuidTest, RandomIsVersionFourAndDiffers) {
  const Uuid a = Uuid::Random();
  EXPECT_EQ(a.ToString()[14], '4');
  EXPECT_NE(a, Uuid::Random());
}

TEST(RandomHexTest, HasTwoDigitsAByte) {
  EXPECT_EQ(RandomHex(4).size(), 8u);
  EXPECT_NE(RandomHex(8), RandomHex(8));
}

}  // namespace pilum
