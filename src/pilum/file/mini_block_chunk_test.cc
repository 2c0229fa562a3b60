// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/mini_block_chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "pilum/util/little_endian.h"

namespace pilum {

using ::testing::ElementsAre;

namespace {

struct Word {
  uint32_t bytes;  // of the chunk, a multiple of 8
  uint32_t log;
};

arrow::Result<ChunkTable> Parse(const std::vector<Word>& words, bool large, int64_t num_values,
                                int64_t data_bytes) {
  std::string table;
  for (const Word& word : words) {
    const uint32_t stored = (word.bytes / 8 - 1) << 4 | word.log;
    large ? AppendLE<uint32_t>(&table, stored) : AppendLE<uint16_t>(&table, static_cast<uint16_t>(stored));
  }
  return ChunkTable::Parse({reinterpret_cast<const uint8_t*>(table.data()), table.size()}, large, num_values,
                           data_bytes);
}

TEST(ChunkTableTest, ChunksFollowEachOther) {
  for (const bool large : {false, true}) {
    const auto table = *Parse({{4096, 10}, {8, 1}, {32768, 0}}, large, 1024 + 2 + 7, 4096 + 8 + 32768);
    EXPECT_THAT(table.first_values, ElementsAre(0, 1024, 1026, 1033));
    EXPECT_THAT(table.offsets, ElementsAre(0, 4096, 4104, 36872));
    EXPECT_EQ(table.NumValues(2), 7);
    EXPECT_EQ(table.NumBytes(2), 32768);
  }
}

TEST(ChunkTableTest, AChunkHoldsUpTo32768ValuesAndInVersion2_2AsManyBytesAsItsWordSays) {
  const auto table = *Parse({{131'072, 15}, {1 << 20, 0}}, /*large=*/true, 32'768 + 1, (1 << 20) + 131'072);
  EXPECT_THAT(table.first_values, ElementsAre(0, 32'768, 32'769));
  EXPECT_EQ(table.NumBytes(1), 1 << 20);
}

TEST(ChunkTableTest, TheLastChunkMayNameItsValuesIfTheyAreAllThatAreLeft) {
  EXPECT_TRUE(Parse({{8, 1}, {8, 2}}, false, 6, 16).ok());
  EXPECT_TRUE(Parse({{8, 1}, {8, 2}}, false, 7, 16).status().IsInvalid());
}

TEST(ChunkTableTest, WordsThatDoNotAddUpAreInvalid) {
  EXPECT_TRUE(Parse({{8, 0}, {8, 0}}, false, 3, 16).status().IsInvalid());     // only the last has a log of 0
  EXPECT_TRUE(Parse({{8, 2}, {8, 0}}, false, 4, 16).status().IsInvalid());     // nothing is left for the last
  EXPECT_TRUE(Parse({{8, 15}, {8, 0}}, false, 100, 16).status().IsInvalid());  // more than the page has
  EXPECT_TRUE(Parse({{8, 1}, {16, 0}}, false, 3, 16).status().IsInvalid());    // more bytes than there are
  EXPECT_TRUE(Parse({}, false, 1, 0).status().IsInvalid());
  const uint8_t half[] = {1};
  EXPECT_TRUE(ChunkTable::Parse(half, false, 1, 8).status().IsInvalid());
  EXPECT_TRUE(ChunkTable::Parse(half, true, 1, 8).status().IsInvalid());
}

TEST(FindChunkTest, GivesTheLastChunkThatBeginsAtAValueOrBefore) {
  const std::vector<int64_t> begins{0, 0, 3, 3, 3, 10, 11, 12, 40, 41};  // nine chunks, three of them empty
  for (int64_t value = 0; value < 41; ++value) {
    const auto wanted =
        static_cast<size_t>(std::upper_bound(begins.begin(), begins.end() - 1, value) - begins.begin()) - 1;
    for (size_t from = 0; from <= wanted; ++from) EXPECT_EQ(FindChunk(begins, value, from), wanted) << value;
  }
}

}  // namespace

}  // namespace pilum
