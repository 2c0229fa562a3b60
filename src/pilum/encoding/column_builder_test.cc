// SPDX-License-Identifier: Apache-2.0
#include "pilum/encoding/column_builder.h"

#include <gtest/gtest.h>

namespace pilum {

namespace {

arrow::Result<ColumnBuilder> Make(const std::shared_ptr<arrow::DataType>& type, int64_t capacity) {
  return ColumnBuilder::Make(LeafType::Of(type).ValueOrDie(), capacity, arrow::default_memory_pool());
}

}  // namespace

// Counts come from damaged files: no product of them may overflow before memory is asked for.
TEST(ColumnBuilderTest, CountsThatNoMemoryHoldsAreRefused) {
  const auto vector = arrow::fixed_size_list(arrow::boolean(), 1 << 20);
  for (const auto& type : {arrow::int64(), arrow::boolean(), arrow::utf8(), arrow::large_binary(), vector}) {
    for (const int64_t capacity : {int64_t{-1}, INT64_MIN, INT64_MAX, INT64_MAX / 8}) {
      EXPECT_TRUE(Make(type, capacity).status().IsInvalid()) << type->ToString() << " " << capacity;
    }
    EXPECT_TRUE(Make(type, 0).ok()) << type->ToString();
  }
  EXPECT_TRUE(Make(vector, int64_t{1} << 45).status().IsInvalid());
}

TEST(ColumnBuilderTest, ValuesEndWhereTheirBytesDo) {
  for (const auto& type : {arrow::utf8(), arrow::large_utf8()}) {
    auto builder = *ColumnBuilder::Make(*LeafType::Of(type), 4, arrow::default_memory_pool());
    ASSERT_TRUE(builder.validity().Append(true, 4).ok());
    ASSERT_TRUE(builder.EndValues({}).ok());
    ASSERT_TRUE(builder.bytes()->Append("abcdef", 6).ok());
    const std::vector<int64_t> ends{1, 1, 6};
    ASSERT_TRUE(builder.EndValues(ends).ok());
    EXPECT_TRUE(builder.EndValues(ends).IsInvalid());
    ASSERT_TRUE(builder.EndValue().ok());
    const auto array = arrow::MakeArray(*builder.Finish());
    ASSERT_TRUE(array->ValidateFull().ok());
    EXPECT_EQ(array->ToString(), "[\n  \"a\",\n  \"\",\n  \"bcdef\",\n  \"\"\n]");
  }
}

TEST(ColumnBuilderTest, MoreValuesThanRowsAreRefused) {
  auto builder = Make(arrow::int32(), 3).ValueOrDie();
  ASSERT_TRUE(builder.AppendZeros(3).ok());
  EXPECT_TRUE(builder.AppendZeros(1).IsInvalid());
  EXPECT_TRUE(builder.AppendUninitialized(1).status().IsInvalid());
  EXPECT_TRUE(builder.validity().Append(true, 4).IsInvalid());
  EXPECT_TRUE(builder.Finish().status().IsInvalid()) << "three values, no validity";
}

}  // namespace pilum
