// SPDX-License-Identifier: Apache-2.0
#include "pilum/util/little_endian.h"

#include <gtest/gtest.h>

#include <array>

namespace pilum {

TEST(LittleEndianTest, LoadsWhatWasStored) {
  std::array<uint8_t, 9> bytes{};
  StoreLE<uint64_t>(bytes.data() + 1, 0x0102030405060708ULL);
  EXPECT_EQ(bytes[1], 8);
  EXPECT_EQ(LoadLE<uint64_t>(bytes.data() + 1), 0x0102030405060708ULL);
}

TEST(LittleEndianCursorTest, ReadsFieldsInOrder) {
  const std::array<uint8_t, 8> bytes{1, 0, 2, 0, 0, 0, 'L', 'A'};
  LittleEndianCursor in(bytes);
  EXPECT_EQ(in.U16(), 1);
  EXPECT_EQ(in.U32(), 2u);
  EXPECT_EQ(in.Chars(2), "LA");
  EXPECT_TRUE(in.ok());
}

TEST(LittleEndianCursorTest, NeverLeavesItsSpan) {
  const std::array<uint8_t, 3> bytes{1, 2, 3};
  LittleEndianCursor in(bytes);
  EXPECT_EQ(in.U64(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.U16(), 0) << "after a failed read nothing is left";
}

}  // namespace pilum
