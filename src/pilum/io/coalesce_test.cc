// SPDX-License-Identifier: Apache-2.0
#include "pilum/io/coalesce.h"

#include <gtest/gtest.h>

namespace pilum {

TEST(CoalesceRangesTest, ReadsThroughSmallGapsOnly) {
  const CoalesceLimits limits{.max_gap = 10, .max_request = 100};
  struct Case {
    const char* why;
    std::vector<ByteRange> in, out;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing asks for nothing", {}, {}},
           {"an empty range needs no request", {{5, 0}}, {}},
           {"a gap equal to the limit is read through", {{0, 10}, {20, 10}}, {{0, 30}}},
           {"one byte more is not", {{0, 10}, {21, 9}}, {{0, 10}, {21, 9}}},
           {"overlaps merge", {{0, 20}, {10, 20}}, {{0, 30}}},
           {"a range inside another adds nothing", {{0, 30}, {5, 5}}, {{0, 30}}},
           {"order does not matter", {{20, 10}, {0, 10}}, {{0, 30}}},
           {"a large request is split, the last part takes the rest",
            {{0, 250}},
            {{0, 83}, {83, 83}, {166, 84}}},
       }) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(CoalesceRanges(c.in, limits), c.out);
  }
}

TEST(CoalesceRangesTest, DefaultsGiveTheRequestCountsOfTheFormat) {
  const CoalesceLimits limits;
  EXPECT_EQ(
      CoalesceRanges(std::vector<ByteRange>{{50'000, 1000}, {52'000, 1000}, {54'000, 1000}}, limits).size(),
      1u);
  EXPECT_EQ(CoalesceRanges(std::vector<ByteRange>{{0, int64_t{75} << 20}}, limits).size(), 5u);
  std::vector<ByteRange> adjacent;
  for (int64_t i = 0; i < 44; ++i) adjacent.push_back({i * 1'000'000, 1'000'000});
  EXPECT_EQ(CoalesceRanges(adjacent, limits).size(), 3u);
}

}  // namespace pilum
