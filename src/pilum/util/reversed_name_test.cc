// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/reversed_name.h"

#include <gtest/gtest.h>

#include <limits>

namespace pilum {

TEST(ReversedNameTest, LeastSignificantBitComesFirst) {
  EXPECT_EQ(ReversedName(1), "1" + std::string(63, '0'));
  EXPECT_EQ(ReversedName(2), "01" + std::string(62, '0'));
  EXPECT_EQ(ReversedName(5), "101" + std::string(61, '0'));
  EXPECT_EQ(ReversedName(0), std::string(64, '0'));
}

TEST(ReversedNameTest, RoundTrips) {
  for (uint64_t n : {uint64_t{1}, uint64_t{5}, uint64_t{100}, uint64_t{1000}, (uint64_t{1} << 63) - 1,
                     std::numeric_limits<uint64_t>::max()}) {
    EXPECT_EQ(ParseReversedName(ReversedName(n)), n);
  }
}

TEST(ReversedNameTest, RefusesEverythingElse) {
  EXPECT_EQ(ParseReversedName("101"), std::nullopt);
  EXPECT_EQ(ParseReversedName(std::string(65, '0')), std::nullopt);
  EXPECT_EQ(ParseReversedName("2" + std::string(63, '0')), std::nullopt);
}

TEST(ReversedNameTest, FileNamesMatchExactly) {
  const std::string stem = ReversedName(7);
  EXPECT_EQ(ParseReversedFileName(stem + ".arrow", ".arrow"), 7u);
  EXPECT_EQ(ParseReversedFileName(stem + ".arrow.tmp.1", ".arrow"), std::nullopt);
  EXPECT_EQ(ParseReversedFileName(stem + ".arrow#1", ".arrow"), std::nullopt);
}

}  // namespace pilum
