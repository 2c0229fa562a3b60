// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/level_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace pilum {

namespace {

/// Every answer beside that of the standard library.
void ExpectCounts(const std::vector<uint16_t>& levels, uint16_t level) {
  EXPECT_EQ(CountEqual(levels, level), std::ranges::count(levels, level));
  EXPECT_EQ(CountAtMost(levels, level),
            std::ranges::count_if(levels, [=](uint16_t l) { return l <= level; }));
  int64_t nth = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i] == level) {
      EXPECT_EQ(FindNth(levels, level, ++nth), static_cast<int64_t>(i));
    }
  }
  EXPECT_EQ(FindNth(levels, level, nth + 1), static_cast<int64_t>(levels.size()));
}

TEST(LevelCountsTest, AgreeWithTheStandardLibrary) {
  std::mt19937 random(3);
  for (const size_t size : {0, 1, 15, 16, 255, 256, 257, 4095, 4096, 4097, 10'000}) {
    for (const uint16_t highest : {0, 1, 4, 65535}) {
      std::vector<uint16_t> levels(size);
      for (uint16_t& level : levels) level = static_cast<uint16_t>(random() % (highest + 1u));
      for (const int level : {0, 1, 4, 300, 65535}) ExpectCounts(levels, static_cast<uint16_t>(level));
    }
  }
}

}  // namespace

}  // namespace pilum
