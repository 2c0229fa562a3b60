// SPDX-License-Identifier: Apache-2.0
#include "pilum/file/written_type.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <string>

namespace pilum {

namespace {

/// Why rows of a field are refused; empty if they are not.
std::string Refused(const arrow::Field& field, const std::string& rows,
                    FormatVersion version = FormatVersion::k2_1) {
  const auto array = arrow::json::ArrayFromJSONString(field.type(), rows).ValueOrDie();
  return CheckNulls(*array->data(), field, version).message();
}

const std::string kNoNull =
    "The field `b` contained null values even though the field is marked non-null in the schema";
const std::string kNoNullStruct =
    "The struct field `s` contains null values, which files of version 2.0 cannot hold";

std::shared_ptr<arrow::Field> Whole(const std::string& name, std::shared_ptr<arrow::DataType> type) {
  return arrow::field(name, std::move(type), /*nullable=*/false);
}

const auto kInner = arrow::struct_({Whole("b", arrow::int32())});

}  // namespace

TEST(CheckNullsTest, NullsInAFieldThatHasNoneAreRefused) {
  EXPECT_EQ(Refused(*Whole("b", arrow::int32()), "[1, null]"), kNoNull);
  EXPECT_EQ(Refused(*Whole("b", arrow::int32()), "[1, 2]"), "");
  EXPECT_EQ(Refused(*arrow::field("s", kInner), R"([{"b": 1}, {"b": null}])"), kNoNull);
  const auto list = arrow::field("l", arrow::list(arrow::field("item", kInner)));
  EXPECT_EQ(Refused(*list, R"([[{"b": 1}], [], null, [null, {"b": null}]])"), kNoNull);
  EXPECT_EQ(Refused(*list, R"([[{"b": 1}], [], null, [null, {"b": 2}]])"), "");
  const auto map = arrow::field("m", arrow::map(arrow::utf8(), kInner));
  EXPECT_EQ(Refused(*map, R"([[["k", {"b": null}]]])"), kNoNull);
}

// Rows that no reader sees.
TEST(CheckNullsTest, WhatLiesUnderANullDoesNotCountAtAnyDepth) {
  const auto leaf = arrow::json::ArrayFromJSONString(arrow::int32(), "[1, null, 3]").ValueOrDie();
  const auto inner = arrow::StructArray::Make({leaf}, {Whole("b", arrow::int32())}).ValueOrDie();
  const auto inner_field = arrow::field("inner", inner->type());
  const auto bits = arrow::Buffer::FromString("\x05");  // rows 0 and 2
  const auto outer = arrow::StructArray::Make({inner}, {inner_field}, bits).ValueOrDie();
  const auto outer_field = arrow::field("outer", outer->type());
  for (const auto version : {FormatVersion::k2_1, FormatVersion::k2_2})
    EXPECT_TRUE(CheckNulls(*outer->data(), *outer_field, version).ok());
  const auto offsets = arrow::Buffer::FromVector(std::vector<int32_t>{0, 1, 2, 3});
  const auto lists = std::make_shared<arrow::ListArray>(arrow::list(inner_field), 3, offsets, inner, bits);
  EXPECT_TRUE(CheckNulls(*lists->data(), *arrow::field("l", lists->type()), FormatVersion::k2_0).ok());
  const auto vectors =
      std::make_shared<arrow::FixedSizeListArray>(arrow::fixed_size_list(inner_field, 1), 3, inner, bits);
  EXPECT_TRUE(CheckNulls(*vectors->data(), *arrow::field("v", vectors->type()), FormatVersion::k2_2).ok());
}

TEST(CheckNullsTest, RowsOutsideOfASliceDoNotCount) {
  const auto type = arrow::struct_({arrow::field("s", kInner)});
  const auto rows =
      arrow::json::ArrayFromJSONString(type, R"([{"s": {"b": 1}}, {"s": {"b": null}}, {"s": {"b": 3}}])")
          .ValueOrDie();
  const auto field = arrow::field("outer", type);
  EXPECT_EQ(CheckNulls(*rows->data(), *field, FormatVersion::k2_0).message(), kNoNull);
  for (const int64_t row : {0, 2})
    EXPECT_TRUE(CheckNulls(*rows->Slice(row, 1)->data(), *field, FormatVersion::k2_0).ok()) << row;
}

TEST(CheckNullsTest, Version2_0HasNoNullStructs) {
  const auto type = arrow::struct_({arrow::field("b", arrow::int32())});
  const auto field = arrow::field("s", type);
  const std::string rows = R"([{"b": null}, null])";
  EXPECT_EQ(Refused(*field, rows, FormatVersion::k2_0), kNoNullStruct);
  EXPECT_EQ(Refused(*field, rows, FormatVersion::k2_1), "");
  EXPECT_EQ(Refused(*field, R"([{"b": null}])", FormatVersion::k2_0), "");
  const auto list = arrow::field("l", arrow::large_list(field));
  EXPECT_EQ(Refused(*list, R"([[], null, [null]])", FormatVersion::k2_0), kNoNullStruct);
  const auto nested = arrow::field("o", arrow::struct_({field}));
  EXPECT_EQ(Refused(*nested, R"([{"s": null}])", FormatVersion::k2_0), kNoNullStruct);
}

}  // namespace pilum
